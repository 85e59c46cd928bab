// A line of the journal for a person.
import type { Actor } from '../domain/actor.ts';
import { type DriftKind, SEVERITIES } from '../domain/drift.ts';
import { escapePath, escapeText } from '../domain/escape.ts';
import { type BytePath, pathFromBytes, pathFromText } from '../domain/path.ts';
import { actorsText, actorText } from './actor-text.ts';
import type { ReportOptions } from './format.ts';
import { driftWords } from './text.ts';

/** One line without its newline; a record that is not understood is shown as it is, escaped. */
export function recordText(line: string, options: ReportOptions): string {
  const record = objectOf(parseJson(line));
  const { time, type } = record;
  if (typeof time !== 'string' || typeof type !== 'string') return escapeText(line);
  return `${escapeText(time.replace(/\.\d+Z$/, 'Z'))}  ${wordsOf(type, record, options)}`;
}

/** A record as it was read: everything is unknown until it is looked at. */
type Raw = Readonly<Record<string, unknown>>;

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A damaged journal is shown too: the caller prints the line itself.
    return undefined;
  }
}

function objectOf(value: unknown): Raw {
  return typeof value === 'object' && value !== null ? (value as Raw) : {};
}

function wordsOf(type: string, record: Raw, options: ReportOptions): string {
  const { kind: word } = record;
  const kind = KINDS.find((known) => known === word);
  if (type === 'drift' && kind !== undefined) return driftOf(kind, record, options);
  const lead = [type.toUpperCase(), pathOf(record, 'path')].filter((word) => word !== undefined).map(String);
  const rest = Object.entries(record).filter(([key]) => !LEFT_OUT.has(key));
  return [...lead.map((word, index) => (index === 0 ? escapeText(word).padEnd(7) : word)), ...rest.map(pairText)].join(
    '  ',
  );
}

const KINDS: readonly DriftKind[] = ['added', 'removed', 'changed', 'moved'];

/** Said already, or too long for a line. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'v',
  'type',
  'time',
  'path',
  'pathBytes',
  'output',
  'start',
  'end',
  'key',
]);

function driftOf(kind: DriftKind, record: Raw, options: ReportOptions): string {
  const { changed, entries, severity, actor, actors, accepted } = record;
  return driftWords(
    {
      kind,
      severity: SEVERITIES.find((known) => known === severity) ?? 'normal',
      path: pathOf(record, 'path') ?? '?',
      from: pathOf(record, 'from'),
      entries: typeof entries === 'number' ? entries : undefined,
      changed: Array.isArray(changed) ? changed.map(String) : [],
      actor: actorsText((Array.isArray(actors) ? actors : [actor]).map((one) => actorOf(objectOf(one)))),
      isAccepted: typeof accepted === 'string',
    },
    options,
  );
}

/** Only what `actorText` says. */
function actorOf(raw: Raw): Actor {
  const { pid, exe, uid, loginUid, unit } = raw;
  return {
    source: 'unknown',
    ...(typeof pid === 'number' ? { pid } : {}),
    ...(typeof exe === 'string' ? { exe } : {}),
    ...(typeof uid === 'number' ? { uid } : {}),
    ...(typeof loginUid === 'number' ? { loginUid } : {}),
    ...(typeof unit === 'string' ? { unit } : {}),
  };
}

function pathOf(record: Raw, key: 'path' | 'from'): string | undefined {
  const [text, base64] = [record[key], record[`${key}Bytes`]];
  if (typeof text !== 'string') return undefined;
  const path: BytePath = typeof base64 === 'string' ? pathFromBytes(Buffer.from(base64, 'base64')) : pathFromText(text);
  return escapePath(path);
}

function pairText([key, value]: [string, unknown]): string {
  return `${escapeText(key)} ${valueText(value)}`;
}

/** Escaped. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? valueText(value[0]) : String(value.length);
  if (typeof value !== 'object' || value === null) return escapeText(String(value));
  const path = pathOf(objectOf(value), 'path');
  return path ?? actorText(actorOf(objectOf(value))) ?? 'unknown';
}
