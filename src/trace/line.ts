// A record as a line for a person: `touch(812): create,open /srv/www/a`. Lines are latin1: one character per byte.
import { escapePath, escapeText } from '../domain/escape.ts';
import { type BytePath, pathFromText } from '../domain/path.ts';
import { FAN_ONDIR, FAN_RENAME } from '../fanotify/abi.ts';
import { eventWords } from './event-names.ts';
import type { EventRecord, ProcessInfo, TraceRecord } from './record.ts';

export interface LineOptions {
  /** `clock`: local time of day; `epoch`: seconds since 1970; both with microseconds. */
  readonly time: 'none' | 'clock' | 'epoch';
  readonly showUser: boolean;
  /** Names as they are, for readers that split at NUL bytes; else escaped. */
  readonly raw: boolean;
}

export const OVERFLOW_TEXT = 'OVERFLOW: the queue of the kernel was full, events were lost here';

/** One line without its end. */
export function compileLine(options: LineOptions): (record: TraceRecord) => string {
  const timeOf = { none: () => '', clock: clockText, epoch: epochText }[options.time];
  const name = options.raw ? (path: BytePath): string => path : (path: BytePath) => pathFromText(escapePath(path));
  return (record) => {
    const time = timeOf(record.timeNs);
    return record.kind === 'overflow' ? `${time}${OVERFLOW_TEXT}` : `${time}${eventText(record, options, name)}`;
  };
}

function eventText(record: EventRecord, { showUser }: LineOptions, name: (path: BytePath) => string): string {
  const { mask, path, from, process, parents } = record;
  const words = (mask & FAN_ONDIR) === 0 ? eventWords(mask) : [...eventWords(mask), 'isdir'];
  const user = showUser ? ` uid ${process.actor.uid ?? '?'}` : '';
  const [to, old] = [path, from].map((one) => (one === undefined ? undefined : name(one)));
  const names = isRename(record) ? `${old ?? '?'} -> ${to ?? '?'}` : (to ?? '(no name)');
  const above = parents === undefined ? '' : `  parents ${parents.map(processText).join(' ')}`;
  return `${processText(process)}${user}: ${words.join(',')} ${names}${above}`;
}

/** Whether the record has two names, one of which may lie outside what is marked. */
function isRename({ mask }: { readonly mask: number }): boolean {
  return (mask & FAN_RENAME) !== 0;
}

function processText({ pid, comm }: ProcessInfo): string {
  return `${comm === undefined ? '?' : pathFromText(escapeText(comm))}(${pid})`;
}

function clockText(timeNs: bigint): string {
  const date = new Date(Number(timeNs / 1_000_000n));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${microseconds(timeNs)} `;
}

function epochText(timeNs: bigint): string {
  return `${timeNs / 1_000_000_000n}.${microseconds(timeNs)} `;
}

function microseconds(timeNs: bigint): string {
  return String((timeNs / 1000n) % 1_000_000n).padStart(6, '0');
}
