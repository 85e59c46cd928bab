// `--format`: the conversions of fsnotifywait(1), and a few for what only this trace knows. Text is latin1 throughout: one
// character per byte.
import { AppError } from '../domain/errors.ts';
import { escapePath, escapeText } from '../domain/escape.ts';
import { type BytePath, dirOf, nameOf, pathFromText, ROOT } from '../domain/path.ts';
import { FAN_CREATE, FAN_DELETE, FAN_MOVE, FAN_ONDIR, FAN_RENAME } from '../fanotify/abi.ts';
import { loudWords } from './event-names.ts';
import type { EventRecord, TraceRecord } from './record.ts';

export interface FormatOptions {
  /** Names as they are, even when nothing in the format ends them with a NUL byte; else escaped. */
  readonly raw: boolean;
  /** `%T`: nanoseconds since the epoch to bytes. */
  readonly timeText: (timeNs: bigint) => string;
}

type Piece = (record: TraceRecord) => string;

/** Throws AppError USAGE for a conversion that there is not. */
export function compileFormat(format: string, options: FormatOptions): (record: TraceRecord) => string {
  const raw = options.raw || format.includes('%0');
  const pieces = piecesOf(format, raw, options.timeText);
  return (record) => pieces.map((piece) => piece(record)).join('');
}

function piecesOf(format: string, raw: boolean, timeText: FormatOptions['timeText']): Piece[] {
  const name = raw ? (path: BytePath): string => path : (path: BytePath): string => pathFromText(escapePath(path));
  const text = (shown: string): string => pathFromText(raw ? shown : escapeText(shown));
  const pieces: Piece[] = [];
  for (const [, literal, separator, conversion] of format.matchAll(/([^%]+)|%([^wfoepcxuT0n%](?=e))?([\s\S]?)/gu)) {
    if (literal !== undefined) pieces.push(constant(literal));
    else pieces.push(conversionOf(conversion ?? '', separator, { name, text, timeText }));
  }
  return pieces;
}

interface Shown {
  readonly name: (path: BytePath) => string;
  readonly text: (shown: string) => string;
  readonly timeText: (timeNs: bigint) => string;
}

function conversionOf(conversion: string, separator: string | undefined, { name, text, timeText }: Shown): Piece {
  switch (conversion) {
    case 'w':
      return ofEvent((record) => name(watchedOf(record)));
    case 'f':
      return ofEvent((record) => name(fileOf(record)));
    case 'o':
      return ofEvent(({ from }) => (from === undefined ? '' : name(from)));
    case 'e':
      return (record) => eventsOf(record).join(pathFromText(separator ?? ','));
    case 'p':
      return ofEvent(({ process }) => String(process.pid));
    case 'c':
      return ofEvent(({ process }) => text(process.comm ?? ''));
    case 'x':
      return ofEvent(({ process }) => text(process.actor.exe ?? ''));
    case 'u':
      return ofEvent(({ process }) => String(process.actor.uid ?? ''));
    case 'T':
      return ({ timeNs }) => timeText(timeNs);
    case '0':
      return constant('\0');
    case 'n':
      return constant('\n');
    case '%':
      return constant('%');
    default:
      throw new AppError('USAGE', `--format: there is no conversion %${conversion}`, {
        hint: '%w directory, %f name, %e events, %Xe events separated by X, %o old name, %p pid, %c comm, %x program, %u user id, %T time, %0 NUL, %n newline, %% percent',
      });
  }
}

function constant(text: string): Piece {
  const bytes = pathFromText(text);
  return () => bytes;
}

function ofEvent(piece: (record: EventRecord) => string): Piece {
  return (record) => (record.kind === 'event' ? piece(record) : '');
}

function eventsOf(record: TraceRecord): string[] {
  return record.kind === 'overflow' ? ['Q_OVERFLOW'] : loudWords(record.mask);
}

const NOTHING = '' as BytePath;

/** With its slash; of an event on a directory itself, that directory. */
function watchedOf({ path, mask }: EventRecord): BytePath {
  if (path === undefined) return NOTHING;
  const dir = isSelf(mask) ? path : dirOf(path);
  return (dir === ROOT || dir === '' ? '/' : `${dir}/`) as BytePath;
}

function fileOf({ path, mask }: EventRecord): BytePath {
  return path === undefined || isSelf(mask) ? NOTHING : nameOf(path);
}

const ENTRY_EVENTS = FAN_CREATE | FAN_DELETE | FAN_MOVE | FAN_RENAME;

/** What happens to a directory itself, not to an entry of the one above. */
function isSelf(mask: number): boolean {
  return (mask & FAN_ONDIR) !== 0 && (mask & ENTRY_EVENTS) === 0;
}
