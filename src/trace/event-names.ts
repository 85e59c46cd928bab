// Events in the words of the command line, of inotifywait(1), and of the kernel.
import { AppError } from '../domain/errors.ts';
import * as abi from '../fanotify/abi.ts';

interface EventWord {
  /** As `--events` takes it and lines show it. */
  readonly word: string;
  readonly bit: number;
  /** As inotifywait(1) prints it. */
  readonly loud: string;
}

const word = (word: string, bit: number): EventWord => ({ word, bit, loud: word.toUpperCase().replaceAll('-', '_') });

/** In the order of the bits, which is the order in which they are shown. */
const WORDS: readonly EventWord[] = [
  word('access', abi.FAN_ACCESS),
  word('modify', abi.FAN_MODIFY),
  word('attrib', abi.FAN_ATTRIB),
  word('close-write', abi.FAN_CLOSE_WRITE),
  word('close-nowrite', abi.FAN_CLOSE_NOWRITE),
  word('open', abi.FAN_OPEN),
  word('moved-from', abi.FAN_MOVED_FROM),
  word('moved-to', abi.FAN_MOVED_TO),
  word('create', abi.FAN_CREATE),
  word('delete', abi.FAN_DELETE),
  word('delete-self', abi.FAN_DELETE_SELF),
  word('move-self', abi.FAN_MOVE_SELF),
  word('open-exec', abi.FAN_OPEN_EXEC),
  word('fs-error', abi.FAN_FS_ERROR),
  word('rename', abi.FAN_RENAME),
];

/** What stands for several events, or is another name of one. */
const ALIASES: Readonly<Record<string, number>> = {
  close: abi.FAN_CLOSE,
  exec: abi.FAN_OPEN_EXEC,
  move: abi.FAN_RENAME,
  write: abi.FAN_MODIFY | abi.FAN_CLOSE_WRITE,
  all: WORDS.reduce((mask, { bit }) => mask | bit, 0),
};

/** What is shown without `--events`: what happens to files, each thing once. */
export const DEFAULT_EVENTS =
  abi.FAN_ACCESS |
  abi.FAN_MODIFY |
  abi.FAN_ATTRIB |
  abi.FAN_CLOSE |
  abi.FAN_OPEN |
  abi.FAN_CREATE |
  abi.FAN_DELETE |
  abi.FAN_RENAME;

/** What a mount mark can see, and a group whose events carry descriptors (fanotify_mark(2), FAN_MARK_MOUNT). */
export const CONTENT_EVENTS = abi.FAN_ACCESS | abi.FAN_MODIFY | abi.FAN_CLOSE | abi.FAN_OPEN | abi.FAN_OPEN_EXEC;

/** `open,close-write`, `CLOSE_WRITE`, `FAN_OPEN`: event bits. Throws AppError USAGE naming the word that is none. */
export function parseEvents(lists: readonly string[]): number {
  return lists.flatMap((list) => list.split(',')).reduce((mask, name) => mask | bitsOf(name), 0);
}

function bitsOf(name: string): number {
  const wanted = name
    .trim()
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/^(?:fan|in)-/, '');
  const bits =
    WORDS.find(({ word }) => word === wanted)?.bit ?? (Object.hasOwn(ALIASES, wanted) ? ALIASES[wanted] : undefined);
  if (bits !== undefined) return bits;
  throw new AppError('USAGE', `--events ${name}: there is no such event`, {
    hint: `one or more of ${[...WORDS.map(({ word }) => word), ...Object.keys(ALIASES)].join(', ')}`,
  });
}

/** The words of the bits that are set; bits without a word as one hexadecimal number. */
export function eventWords(mask: number): string[] {
  const rest = WORDS.reduce((rest, { bit }) => rest & ~bit, mask) & ~(abi.FAN_ONDIR | abi.FAN_EVENT_ON_CHILD);
  const words = wordsIn(mask).map(({ word }) => word);
  return rest === 0 ? words : [...words, `0x${(rest >>> 0).toString(16)}`];
}

/** As inotifywait(1) prints them: `CLOSE_WRITE`, `CLOSE` after either close, `ISDIR` last. */
export function loudWords(mask: number): string[] {
  const words = wordsIn(mask).map(({ loud }) => loud);
  if ((mask & abi.FAN_CLOSE) !== 0) words.push('CLOSE');
  if ((mask & abi.FAN_ONDIR) !== 0) words.push('ISDIR');
  return words;
}

function wordsIn(mask: number): readonly EventWord[] {
  return WORDS.filter(({ bit }) => (mask & bit) !== 0);
}
