// Drift that is neither accepted nor gone: one row per path of the baseline.

import { escapePath } from '../domain/escape.ts';
import { type BytePath, pathToBytes, ROOT, ROOT_DIR } from '../domain/path.ts';
import { type Hash, isSameSeal, noSeal, sealOf, toggleSeal } from '../domain/seal.ts';
import type { OpenDrift } from '../engine/ports/store.ts';
import { bytesColumn, integerColumn, pathColumn, textColumn } from './column.ts';
import type { Database, Row } from './driver.ts';
import { untrusted } from './failure.ts';
import { type Meta, readMeta } from './meta.ts';

/** Adds a drift, or replaces what is known under its key. */
export function putDrift(database: Database, hash: Hash, meta: Meta, drift: OpenDrift): void {
  removeDrift(database, meta, drift.key);
  const { key, path, id, seq, fingerprint, record } = drift;
  const seal = driftSeal(hash, drift);
  const values = [pathToBytes(key), pathToBytes(path), seal, id, seq, fingerprint, record];
  database.run('insert into open_drift values (?, ?, ?, ?, ?, ?, ?)', ...values);
  toggleSeal(meta.drift.sum, seal);
  meta.drift.count += 1;
}

export function removeDrift(database: Database, meta: Meta, key: BytePath): void {
  for (const row of database.all('delete from open_drift where key = ? returning seal', pathToBytes(key))) {
    toggleSeal(meta.drift.sum, bytesColumn(row, 'seal'));
    meta.drift.count -= 1;
  }
}

export function clearDrift(database: Database, meta: Meta): void {
  database.run('delete from open_drift');
  meta.drift = { count: 0, sum: noSeal() };
}

export function openDriftAt(database: Database, hash: Hash, path: BytePath): OpenDrift[] {
  const rows = database.all('select * from open_drift where key = ?1 or path = ?1 order by key', pathToBytes(path));
  return rows.map((row) => decode(hash, row));
}

/** How many paths one statement asks for. */
const AMONG = 64;
const PLACES = Array.from({ length: AMONG }, (_, n) => `?${n + 1}`).join();
const AMONG_PATHS = `select * from open_drift where key in (${PLACES}) or path in (${PLACES})`;

/** Of many paths: a storm asks for thousands at a time, of which most have no open drift. */
export function openDriftAmong(database: Database, hash: Hash, paths: readonly BytePath[]): OpenDrift[] {
  const found = new Map<BytePath, OpenDrift>();
  if (paths.length === 0 || database.get('select 1 from open_drift limit 1') === undefined) return [];
  for (let at = 0; at < paths.length; at += AMONG) {
    const asked = paths.slice(at, at + AMONG).map(pathToBytes);
    const all = Array.from({ length: AMONG }, (_, n) => asked[n] ?? null);
    for (const row of database.all(AMONG_PATHS, ...all)) {
      const drift = decode(hash, row);
      found.set(drift.key, drift);
    }
  }
  return [...found.values()];
}

/** Everything whose key or path is `tree` or below it. */
export function openDriftBelow(database: Database, hash: Hash, tree: BytePath): OpenDrift[] {
  if (tree === ROOT) return [...allOpenDrift(database, hash)];
  const rows = ['key', 'path'].flatMap((column) => [
    ...database.all(`select * from open_drift where ${column} = ?`, pathToBytes(tree)),
    ...database.all(`select * from open_drift where ${column} > ? and ${column} < ?`, ...boundsBelow(tree)),
  ]);
  const found = rows.map((row) => decode(hash, row));
  return [...new Map(found.map((drift) => [drift.key, drift])).values()];
}

const KEYS = 1_024;

/** The keys of everything whose key or path is `tree` or below it; one that moved within the tree twice. */
export function* openKeysBelow(database: Database, tree: BytePath): Generator<BytePath> {
  yield* new Set(database.all(KEYS_AT, pathToBytes(tree)).map((row) => pathColumn(row, 'key')));
  const [from, to] = boundsBelow(tree);
  for (const [statement, column] of [[KEYS_BY_KEY, 'key'] as const, [KEYS_BY_PATH, 'path'] as const]) {
    for (let after = from; ; ) {
      const rows = database.all(statement, after, to);
      for (const row of rows) yield pathColumn(row, 'key');
      const last = rows.at(-1);
      if (last === undefined || rows.length < KEYS) break;
      after = pathToBytes(pathColumn(last, column));
    }
  }
}

const KEYS_AT = 'select key from open_drift where key = ?1 or path = ?1';
const KEYS_BY_KEY = `select key from open_drift where key > ? and key < ? order by key limit ${KEYS}`;
/** Two moves to one path there cannot be; of what has not moved the key has been told. */
const KEYS_BY_PATH = `select key, path from open_drift where path > ? and path < ? and key <> path order by path limit ${KEYS}`;

/** The paths of what is in a directory itself. */
export function openPathsIn(database: Database, dir: BytePath): BytePath[] {
  if (dir === ROOT_DIR) return database.all(PATH_ITSELF, pathToBytes(ROOT)).map(() => ROOT);
  const [from, to] = boundsBelow(dir);
  return database.all(PATHS_IN, from, to, from.length + 1).map((row) => pathColumn(row, 'path'));
}

/** Between `tree/` and `tree0` ('0' follows '/') lies what begins with `tree/`. */
function boundsBelow(tree: BytePath): readonly [from: Buffer, to: Buffer] {
  const above = tree === ROOT ? '' : tree;
  return [Buffer.from(`${above}/`, 'latin1'), Buffer.from(`${above}0`, 'latin1')];
}

const PATH_ITSELF = 'select distinct path from open_drift where path = ?';
/** `instr` and `substr` count bytes, as all of this is BLOBs. */
const PATHS_IN =
  "select distinct path from open_drift where path > ?1 and path < ?2 and instr(substr(path, ?3), x'2f') = 0";

/** Everything whose path is not its key. */
export function openMoves(database: Database, hash: Hash): OpenDrift[] {
  return database.all('select * from open_drift where key <> path order by key').map((row) => decode(hash, row));
}

const BATCH = 256;

/** All open drift in the order of its keys. Unless it changed meanwhile, missing rows are noticed at the end. */
export function* allOpenDrift(database: Database, hash: Hash): Generator<OpenDrift> {
  const wanted = readMeta(database, hash).drift;
  const sum = noSeal();
  for (let after: BytePath | undefined; ; ) {
    const rows = batchAfter(database, after);
    for (const row of rows) {
      const drift = decode(hash, row);
      toggleSeal(sum, bytesColumn(row, 'seal'));
      after = drift.key;
      yield drift;
    }
    if (rows.length < BATCH) break;
  }
  const unchanged = isSameSeal(readMeta(database, hash).drift.sum, wanted.sum);
  if (unchanged && !isSameSeal(sum, wanted.sum)) throw untrusted('its open drift does not match its sum');
}

function batchAfter(database: Database, after: BytePath | undefined): readonly Row[] {
  const tail = `order by key limit ${BATCH}`;
  if (after === undefined) return database.all(`select * from open_drift ${tail}`);
  return database.all(`select * from open_drift where key > ? ${tail}`, pathToBytes(after));
}

function decode(hash: Hash, row: Row): OpenDrift {
  const drift: OpenDrift = {
    id: textColumn(row, 'id'),
    seq: integerColumn(row, 'seq'),
    key: pathColumn(row, 'key'),
    path: pathColumn(row, 'path'),
    fingerprint: textColumn(row, 'fingerprint'),
    record: textColumn(row, 'record'),
  };
  if (!isSameSeal(driftSeal(hash, drift), bytesColumn(row, 'seal'))) {
    throw untrusted(`open drift of ${escapePath(drift.path)} does not match its seal`);
  }
  return drift;
}

function driftSeal(hash: Hash, { key, path, id, seq, fingerprint, record }: OpenDrift): Buffer {
  return sealOf(hash, [pathToBytes(key), pathToBytes(path), id, seq, fingerprint, record]);
}
