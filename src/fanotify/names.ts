// Masks and flags as the words of the man pages, and back. A bit without a name is written in hexadecimal.
import { AppError } from '../domain/errors.ts';
import * as abi from './abi.ts';

const NUMBERS = { ...abi };
type Name = keyof typeof NUMBERS;

/** Constants of one argument. Those with several bits come before their parts; `zero` is what nothing at all is called. */
interface Vocabulary {
  readonly what: string;
  readonly zero: string;
  /** Written and understood. */
  readonly names: readonly Name[];
  /** Understood as well. */
  readonly unions: readonly Name[];
}

const MASK: Vocabulary = {
  what: 'event',
  zero: '0',
  names: [
    'FAN_ACCESS',
    'FAN_MODIFY',
    'FAN_ATTRIB',
    'FAN_CLOSE_WRITE',
    'FAN_CLOSE_NOWRITE',
    'FAN_OPEN',
    'FAN_MOVED_FROM',
    'FAN_MOVED_TO',
    'FAN_CREATE',
    'FAN_DELETE',
    'FAN_DELETE_SELF',
    'FAN_MOVE_SELF',
    'FAN_OPEN_EXEC',
    'FAN_Q_OVERFLOW',
    'FAN_FS_ERROR',
    'FAN_OPEN_PERM',
    'FAN_ACCESS_PERM',
    'FAN_OPEN_EXEC_PERM',
    'FAN_PRE_ACCESS',
    'FAN_MNT_ATTACH',
    'FAN_MNT_DETACH',
    'FAN_EVENT_ON_CHILD',
    'FAN_RENAME',
    'FAN_ONDIR',
  ],
  unions: ['FAN_CLOSE', 'FAN_MOVE'],
};

const INIT_FLAGS: Vocabulary = {
  what: 'group flag',
  zero: 'FAN_CLASS_NOTIF',
  names: [
    'FAN_CLOEXEC',
    'FAN_NONBLOCK',
    'FAN_CLASS_CONTENT',
    'FAN_CLASS_PRE_CONTENT',
    'FAN_UNLIMITED_QUEUE',
    'FAN_UNLIMITED_MARKS',
    'FAN_ENABLE_AUDIT',
    'FAN_REPORT_PIDFD',
    'FAN_REPORT_TID',
    'FAN_REPORT_FID',
    'FAN_REPORT_DIR_FID',
    'FAN_REPORT_NAME',
    'FAN_REPORT_TARGET_FID',
    'FAN_REPORT_FD_ERROR',
    'FAN_REPORT_MNT',
  ],
  unions: ['FAN_REPORT_DFID_NAME', 'FAN_REPORT_DFID_NAME_TARGET'],
};

const EVENT_FLAGS: Vocabulary = {
  what: 'event flag',
  zero: 'O_RDONLY',
  names: ['O_WRONLY', 'O_RDWR', 'O_APPEND', 'O_NONBLOCK', 'O_SYNC', 'O_DSYNC', 'O_NOATIME', 'O_CLOEXEC', 'O_LARGEFILE'],
  unions: [],
};

const MARK_FLAGS: Vocabulary = {
  what: 'mark flag',
  zero: 'FAN_MARK_INODE',
  names: [
    'FAN_MARK_ADD',
    'FAN_MARK_REMOVE',
    'FAN_MARK_FLUSH',
    'FAN_MARK_MNTNS',
    'FAN_MARK_MOUNT',
    'FAN_MARK_FILESYSTEM',
    'FAN_MARK_DONT_FOLLOW',
    'FAN_MARK_ONLYDIR',
    'FAN_MARK_IGNORED_MASK',
    'FAN_MARK_IGNORE',
    'FAN_MARK_IGNORED_SURV_MODIFY',
    'FAN_MARK_EVICTABLE',
  ],
  unions: ['FAN_MARK_IGNORE_SURV'],
};

/** `'FAN_MODIFY|FAN_CLOSE_WRITE'`; an empty mask is `'0'`, a bit without a name hexadecimal: `'FAN_OPEN|0x2000'`. */
export function maskToString(mask: number): string {
  return toText(MASK, mask);
}

/**
 * Reads what `maskToString` writes, and the unions FAN_CLOSE and FAN_MOVE; separated by `|`, commas or blanks. Throws
 * AppError USAGE naming the word that is none. So do the other three.
 */
export function maskFromString(text: string): number {
  return fromText(MASK, text);
}

/** fanotify_init(2)'s flags; without any: `'FAN_CLASS_NOTIF'`. */
export function initFlagsToString(flags: number): string {
  return toText(INIT_FLAGS, flags);
}

/** Also FAN_REPORT_DFID_NAME and FAN_REPORT_DFID_NAME_TARGET. */
export function initFlagsFromString(text: string): number {
  return fromText(INIT_FLAGS, text);
}

/** fanotify_init(2)'s event_f_flags; without any: `'O_RDONLY'`. */
export function eventFlagsToString(flags: number): string {
  return toText(EVENT_FLAGS, flags);
}

export function eventFlagsFromString(text: string): number {
  return fromText(EVENT_FLAGS, text);
}

/** fanotify_mark(2)'s flags; without any: `'FAN_MARK_INODE'`. */
export function markFlagsToString(flags: number): string {
  return toText(MARK_FLAGS, flags);
}

/** Also FAN_MARK_IGNORE_SURV. */
export function markFlagsFromString(text: string): number {
  return fromText(MARK_FLAGS, text);
}

// Masks have 64 bits in the interface: sums and products, as JavaScript's own operators stop at 32.
function toText({ names, zero }: Vocabulary, value: number): string {
  const words: string[] = [];
  let rest = value;
  for (const name of names) {
    const bits = NUMBERS[name];
    if ((rest & bits) !== bits) continue;
    words.push(name);
    rest -= bits;
  }
  if (rest !== 0) words.push(`0x${rest.toString(16)}`);
  return words.length === 0 ? zero : words.join('|');
}

function fromText(vocabulary: Vocabulary, text: string): number {
  let value = 0n;
  for (const word of text.split(/[|,\s]+/)) if (word !== '') value |= BigInt(numberOf(vocabulary, word));
  return Number(value);
}

function numberOf({ what, zero, names, unions }: Vocabulary, word: string): number {
  const name = [...names, ...unions].find((known) => known === word);
  if (name !== undefined) return NUMBERS[name];
  if (word === zero) return 0;
  const number = Number(word);
  if (/^(0x[0-9a-f]+|\d+)$/i.test(word) && Number.isSafeInteger(number)) return number;
  throw new AppError('USAGE', `${word} is no ${what}`, { hint: `known: ${[...names, ...unions].join(', ')}` });
}
