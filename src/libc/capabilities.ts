// What this process may do: capabilities(7).
import { readStart } from './read.ts';

/** linux/capability.h; what marks and file handles need, in the order in which they need it. */
const NEEDED: readonly (readonly [name: string, bit: bigint])[] = [
  ['CAP_SYS_ADMIN', 21n],
  ['CAP_DAC_READ_SEARCH', 2n],
];

/** The first capability that watching whole filesystems needs and that is not there. `status`: proc_pid_status(5). */
export function missingCapability(
  status: string | undefined = readStart('/proc/self/status', Buffer.alloc(8192)),
): string | undefined {
  const hex = /^CapEff:\s+([0-9a-f]+)$/m.exec(status ?? '')?.[1];
  if (hex === undefined) return undefined;
  const effective = BigInt(`0x${hex}`);
  return NEEDED.find(([, bit]) => (effective & (1n << bit)) === 0n)?.[0];
}
