// Three views of one tree: what is there (oracle-look.c), what the journal says, and what a fresh check says.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { hash } = createRequire(import.meta.url)('blake3');

/** Paths are strings of one character per byte. */
export const decoded = (text) => text.replaceAll(/%([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Path -> its fields: type, mode, uid, gid, size, mtime, content, xattrs. */
export function parseLook(text) {
  const entries = new Map();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [path, ...fields] = line.split('\t');
    entries.set(decoded(path), fields);
  }
  return entries;
}

export const isOfSite = (path) => /^.*?\/(root|accepted)(\/|$)/.exec(path)?.[1] === 'root';

/** A path of a record as bytes. */
export function pathOf(record, key = 'path') {
  const bytes = record[`${key}Bytes`];
  if (typeof bytes === 'string') return Buffer.from(bytes, 'base64').toString('latin1');
  return record[key] === undefined ? undefined : Buffer.from(record[key]).toString('latin1');
}

/** What a drift says, without when and under which id. */
export function brief(record) {
  const from = pathOf(record, 'from');
  const entries = record.entries === undefined ? '' : ` (${record.entries})`;
  return `${record.kind} ${pathOf(record)}${from === undefined ? '' : ` from ${from}`}${entries}: ${record.changed.join(' ')}`;
}

/** Follows the journal: which drift is open, and what was said since the last fence. */
export class JournalView {
  open = new Map();
  counts = {};
  /** Records since `forget`. */
  fresh = [];
  #lastTime;
  #seen = new Set();

  /** `read(since)` returns the lines of the journal from that time on. */
  update(read) {
    const lines = read(this.#lastTime).split('\n');
    const seen = new Set();
    for (const line of lines) {
      if (line === '') continue;
      const record = JSON.parse(line);
      if (record.time !== this.#lastTime) seen.clear();
      this.#lastTime = record.time;
      seen.add(line);
      if (this.#seen.has(line)) continue;
      this.#take(record);
    }
    this.#seen = seen;
  }

  #take(record) {
    this.counts[record.type] = (this.counts[record.type] ?? 0) + 1;
    this.fresh.push(record, ...(this.open.has(record.id) ? [this.open.get(record.id)] : []));
    if (record.type === 'drift' && record.rule === 'site') this.open.set(record.id, record);
    if (record.type === 'resolved') this.open.delete(record.id);
    if (record.type === 'accept') for (const id of record.drifts) this.open.delete(id);
  }

  forget() {
    this.fresh = [];
  }
}

/** The baseline with drift applied to it: what whoever found the drift takes to be there. */
export function applied(baseline, drift) {
  const byKey = new Map(drift.map((record) => [pathOf(record, 'from') ?? pathOf(record), record]));
  const places = new Map();
  const view = new Map();
  // Parents come before their children.
  for (const path of [...baseline.keys()].filter(isOfSite).sort()) {
    const record = byKey.get(path);
    const dir = path.slice(0, path.lastIndexOf('/'));
    const parent = places.has(dir) ? places.get(dir) : dir;
    const gone = record?.kind === 'removed' || (record === undefined && parent === undefined);
    const place = gone ? undefined : record === undefined ? parent + path.slice(dir.length) : pathOf(record);
    places.set(path, place);
    if (place === undefined) continue;
    // Something else took the place: a record of its own says so.
    view.set(place, record === undefined ? baseline.get(path) : fieldsOf(record.after));
  }
  for (const record of byKey.values()) if (record.kind === 'added') view.set(pathOf(record), fieldsOf(record.after));
  return view;
}

function fieldsOf(after) {
  const isDirectory = after.type === 'directory';
  const content = after.digest === undefined ? (pathOf(after, 'target') ?? after.rdev ?? '') : { digest: after.digest };
  const xattrs = Object.entries(after.xattrs ?? {}).map(([name, value]) => `${name}=${Buffer.from(value, 'base64').toString('hex')}`);
  const size = isDirectory ? '' : String(after.size);
  const mtime = isDirectory ? '' : nanoseconds(after.mtime);
  return [after.type, after.mode, String(after.uid), String(after.gid), size, mtime, content, xattrs.sort().join(',')];
}

function nanoseconds(time) {
  const [, seconds, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time);
  return String(BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}

const NAMES = ['type', 'mode', 'uid', 'gid', 'size', 'mtime', 'content', 'xattrs'];
/** digest -> the rig's own hash of the same content. */
const contents = new Map();

/** In what the view is not what is there; empty when it is. */
export function differences(view, entries) {
  const found = [];
  for (const path of view.keys()) if (!entries.has(path)) found.push({ path, says: `${path} is said to be there` });
  for (const [path, fields] of entries) {
    if (!isOfSite(path)) continue;
    const said = view.get(path);
    if (said === undefined) found.push({ path, says: `${path} is not said to be there` });
    else {
      const names = NAMES.filter((_, at) => !isSame(said[at], fields[at], path));
      if (names.length > 0) found.push({ path, says: `${path}: another ${names.join(', ')}: ${show(said)} / ${show(fields)}` });
    }
  }
  return found;
}

const show = (fields) => JSON.stringify(fields);

function isSame(said, is, path) {
  if (typeof said !== 'object') return said === is || decodedIfAny(is) === said;
  // What is not a file has a target or nothing at all.
  if (!/^[0-9a-f]{16}$/.test(is)) return false;
  if (contents.has(said.digest)) return contents.get(said.digest) === is;
  const isTrue = said.digest.startsWith('sparse:') || said.digest === digestOf(path);
  if (isTrue) contents.set(said.digest, is);
  return isTrue;
}

function digestOf(path) {
  try {
    return hash(readFileSync(Buffer.from(path, 'latin1'))).toString('hex');
  } catch (error) {
    return error.code;
  }
}

const decodedIfAny = (text) => (text.includes('%') ? decoded(text) : text);

/**
 * Paths that are not what they were at the last fence and of which no record was written since. What is in a directory that
 * moved goes by its old name: `open` tells of those, too, that moved before.
 */
export function untold(former, entries, records, open) {
  const told = new Set();
  const trees = [];
  const moves = new Map([...records, ...open].filter(isMovedDirectory).map((record) => [pathOf(record, 'from'), pathOf(record)]));
  for (const record of records) {
    if (record.type !== 'drift' && record.type !== 'resolved') continue;
    const [path, from] = [pathOf(record), pathOf(record, 'from')];
    told.add(path);
    const old = record.kind === 'removed' ? path : from;
    if (old !== undefined) told.add(old).add(placeOf(old, moves));
    if (isMovedDirectory(record)) trees.push(`${pathOf(record)}/`, `${pathOf(record, 'from')}/`);
  }
  const isTold = (path) => told.has(path) || trees.some((tree) => path.startsWith(tree));
  const paths = new Set([...former.keys(), ...entries.keys()]);
  return [...paths].filter((path) => {
    const [a, b] = [former.get(path), entries.get(path)];
    return (a === undefined || b === undefined || a.join('\t') !== b.join('\t')) && !isTold(path);
  });
}

const isMovedDirectory = ({ kind, before }) => kind === 'moved' && before?.type === 'directory';

/** Where what has this name in the baseline is, by the nearest directory above it that moved. */
function placeOf(path, moves) {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const to = moves.get(path.slice(0, end));
    if (to !== undefined) return to + path.slice(end);
  }
  return path;
}
