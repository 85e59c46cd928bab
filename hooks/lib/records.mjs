// Drift records as they come on standard input (`driftline-stdin: ndjson`), and as lines for people.
import { escapePath, escapeText } from '../../dist/domain/escape.js';
import { pathFromBytes, pathFromText } from '../../dist/domain/path.js';
import { readInput, tell } from './settings.mjs';

/** The records of standard input. A line that is none is told of and left out. */
export function readRecords() {
  const lines = readInput()
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  const records = lines.map(parse).filter((record) => record !== undefined);
  if (records.length < lines.length) tell(`${lines.length - records.length} lines are no records`);
  return records;
}

function parse(line) {
  try {
    const record = JSON.parse(line);
    return typeof record === 'object' && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of a path as latin1 text, or undefined; `key` is `path` or `from`. */
export function pathOf(record, key = 'path') {
  const encoded = record[`${key}Bytes`];
  if (typeof encoded === 'string') return pathFromBytes(Buffer.from(encoded, 'base64'));
  return typeof record[key] === 'string' ? pathFromText(record[key]) : undefined;
}

/** `critical changed /etc/passwd (digest size) by /usr/bin/vi (pid 812, uid 0)`: one line, whatever the names hold. */
export function describe(record) {
  const path = escapePath(pathOf(record) ?? pathFromText('?'));
  if (record.type === 'resolved') return `resolved ${path}, as in the baseline again`;
  const from = pathOf(record, 'from');
  const words = [record.severity, record.kind].map((word) => escapeText(String(word ?? 'unknown')));
  const changed = Array.isArray(record.changed) && record.changed.length > 0 ? ` (${record.changed.join(' ')})` : '';
  const entries = typeof record.entries === 'number' ? ` (${record.entries} entries)` : '';
  const names = from === undefined ? path : `${escapePath(from)} -> ${path}`;
  return `${words.join(' ')} ${names}${escapeText(changed)}${entries}${actorText(record.actor ?? {})}`;
}

function actorText({ exe, pid, uid, loginUid }) {
  const ids = Object.entries({ pid, uid, login: loginUid }).filter(([, id]) => typeof id === 'number');
  if (typeof exe !== 'string' && ids.length === 0) return '';
  const program = typeof exe === 'string' ? escapeText(exe) : 'an unknown program';
  return ` by ${program}${ids.length === 0 ? '' : ` (${ids.map((pair) => pair.join(' ')).join(', ')})`}`;
}

const SEVERITIES = ['info', 'normal', 'critical'];

/** `info`, `normal` or `critical`; what is none of them, as a record that ends a drift, is `info`. */
export function highestSeverity(records) {
  return SEVERITIES[Math.max(0, ...records.map(({ severity }) => SEVERITIES.indexOf(severity)))];
}

/** How many of each: { added: 2, resolved: 1 }. */
export function countKinds(records) {
  const counts = {};
  for (const { type, kind } of records) {
    const word = type === 'resolved' ? 'resolved' : String(kind ?? 'unknown');
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

/** `2 added, 1 resolved`. */
export function countText(records) {
  return Object.entries(countKinds(records))
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}

/** At most `limit` lines; the last one says how many are missing. */
export function describeAll(records, limit) {
  const lines = records.slice(0, limit).map(describe);
  return records.length > limit ? [...lines, `and ${records.length - limit} more`] : lines;
}
