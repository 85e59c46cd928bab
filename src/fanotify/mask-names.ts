// Event masks as the words of the man pages and back.
import * as abi from './abi.ts';

const BITS = {
  FAN_ACCESS: abi.FAN_ACCESS,
  FAN_MODIFY: abi.FAN_MODIFY,
  FAN_ATTRIB: abi.FAN_ATTRIB,
  FAN_CLOSE_WRITE: abi.FAN_CLOSE_WRITE,
  FAN_CLOSE_NOWRITE: abi.FAN_CLOSE_NOWRITE,
  FAN_OPEN: abi.FAN_OPEN,
  FAN_MOVED_FROM: abi.FAN_MOVED_FROM,
  FAN_MOVED_TO: abi.FAN_MOVED_TO,
  FAN_CREATE: abi.FAN_CREATE,
  FAN_DELETE: abi.FAN_DELETE,
  FAN_DELETE_SELF: abi.FAN_DELETE_SELF,
  FAN_MOVE_SELF: abi.FAN_MOVE_SELF,
  FAN_OPEN_EXEC: abi.FAN_OPEN_EXEC,
  FAN_Q_OVERFLOW: abi.FAN_Q_OVERFLOW,
  FAN_FS_ERROR: abi.FAN_FS_ERROR,
  FAN_OPEN_PERM: abi.FAN_OPEN_PERM,
  FAN_ACCESS_PERM: abi.FAN_ACCESS_PERM,
  FAN_OPEN_EXEC_PERM: abi.FAN_OPEN_EXEC_PERM,
  FAN_PRE_ACCESS: abi.FAN_PRE_ACCESS,
  FAN_MNT_ATTACH: abi.FAN_MNT_ATTACH,
  FAN_MNT_DETACH: abi.FAN_MNT_DETACH,
  FAN_EVENT_ON_CHILD: abi.FAN_EVENT_ON_CHILD,
  FAN_RENAME: abi.FAN_RENAME,
  FAN_ONDIR: abi.FAN_ONDIR,
} as const;

export type MaskName = keyof typeof BITS;

const NAMES = Object.entries(BITS) as readonly (readonly [MaskName, number])[];

/** The names of the bits that are set, lowest bit first; a bit without a name as `0x...`. */
export function namesOfMask(mask: number): string[] {
  const names: string[] = NAMES.filter(([, bit]) => (mask & bit) !== 0).map(([name]) => name);
  const known = NAMES.reduce((rest, [, bit]) => ((mask & bit) === 0 ? rest : rest - bit), mask);
  return known === 0 ? names : [...names, `0x${known.toString(16)}`];
}

export function maskOfNames(names: Iterable<MaskName>): number {
  let mask = 0;
  for (const name of names) mask |= BITS[name];
  return mask;
}
