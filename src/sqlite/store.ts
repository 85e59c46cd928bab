// The baseline's file: entries, journal, open drift and outbox in one SQLite database.
import { AppError } from '../domain/errors.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import type { Hash } from '../domain/seal.ts';
import type { Commit, Store } from '../engine/ports/store.ts';
import { applyAccept } from './accept.ts';
import { baselineOf } from './baseline.ts';
import { assertSettings, type Database, openDatabase, transact, useLog } from './driver.ts';
import { named } from './failure.ts';
import { prepareFile } from './file.ts';
import { holdHook } from './hook-memory.ts';
import { appendJournal, journalOf } from './journal.ts';
import { assertCommitted, emptyMeta, readMeta, writeMeta } from './meta.ts';
import { assertOurs, createSchema, isBlank, upgrade } from './migrations.ts';
import {
  allOpenDrift,
  openDriftAmong,
  openDriftAt,
  openDriftBelow,
  openKeysBelow,
  openMoves,
  openPathsIn,
  putDrift,
  removeDrift,
} from './open-drift.ts';
import { enqueue, outboxOf } from './outbox.ts';
import { checkpoint, startRebuild } from './rebuild.ts';
import { type Verified, verifyPages } from './verify.ts';

export interface StoreOptions {
  /** Absolute, at most 500 bytes. */
  readonly path: BytePath;
  /**
   * `read` never changes the file and works beside a writer. `write` needs a committed baseline, like `read`. `create` makes
   * the file (mode 0600, in a directory that exists) when it is missing or empty, and opens one whose first generation was
   * never committed: `baseline.info()` throws BASELINE_MISSING then.
   */
  readonly mode: 'read' | 'write' | 'create';
  readonly hash: Hash;
  /** How long to wait for another writer, in milliseconds. */
  readonly busyMs?: number;
}

const BUSY_MS = 5_000;

/**
 * Opens a baseline and verifies its pages. Throws BASELINE_MISSING (no file, or no generation), BASELINE_UNTRUSTED (not a
 * driftline baseline, or damaged), NO_PERMISSION, BUSY, CANNOT_CREATE or IO.
 */
export function openStore(options: StoreOptions): Store {
  return named(options.path, () => openVerified(options));
}

function openVerified({ path, mode, hash, busyMs = BUSY_MS }: StoreOptions): Store {
  const mayBeBlank = prepareFile(path, mode === 'create');
  const readOnly = mode === 'read';
  const connect = (): Database => openDatabase(pathToBytes(path), { readOnly, busyMs });
  const database = connect();
  let verified: Verified;
  try {
    if (mayBeBlank && isBlank(database)) createSchema(database, () => writeMeta(database, hash, emptyMeta()));
    assertOurs(database);
    assertSettings(database);
    verified = verifyPages(database, hash);
    const { meta } = verified;
    if (mode !== 'create') assertCommitted(meta);
    if (!readOnly && meta.generation > 0) useLog(database);
    if (!readOnly) upgrade(database);
  } catch (error) {
    database.close();
    throw error;
  }
  // A store that is written to soon has other seals; one that is read only answers one question and is closed.
  return storeOver(database, { hash, connect, readOnly, ...(readOnly && { verified }) });
}

/** What the baseline was made of, from its sealed facts alone; its pages are not looked at. Throws as `openStore` does. */
export function readRoots(options: Omit<StoreOptions, 'mode'>): readonly BytePath[] {
  return named(options.path, () => readMetaRoots(options));
}

function readMetaRoots({ path, hash, busyMs = BUSY_MS }: Omit<StoreOptions, 'mode'>): readonly BytePath[] {
  prepareFile(path, false);
  const database = openDatabase(pathToBytes(path), { readOnly: true, busyMs });
  try {
    assertOurs(database);
    const meta = readMeta(database, hash);
    assertCommitted(meta);
    return meta.roots;
  } finally {
    database.close();
  }
}

export interface StoreParts {
  readonly hash: Hash;
  /** Another connection to the same file. */
  readonly connect: () => Database;
  readonly readOnly: boolean;
  readonly verified?: Verified;
}

/** A store over a connection that has been verified. */
export function storeOver(database: Database, { hash, connect, readOnly, verified }: StoreParts): Store {
  let rebuilding = false;
  let closed = false;
  let version = 0;
  return {
    baseline: baselineOf({ database, hash, version: () => version, verified }),
    journal: journalOf(database, hash),
    outbox: outboxOf(database, hash),
    openDriftAt: (path) => openDriftAt(database, hash, path),
    openDriftAmong: (paths) => openDriftAmong(database, hash, paths),
    openDriftBelow: (tree) => openDriftBelow(database, hash, tree),
    openKeysBelow: (tree) => openKeysBelow(database, tree),
    openPathsIn: (dir) => openPathsIn(database, dir),
    openMoves: () => openMoves(database, hash),
    openDrift: () => allOpenDrift(database, hash),
    commit(commit) {
      if (rebuilding) throw new AppError('INTERNAL', 'internal error: a commit during a rebuild would wait for itself');
      if (commit.accept !== undefined) version += 1;
      transact(database, 'write', () => apply(database, hash, commit));
    },
    rebuild() {
      if (rebuilding) throw new AppError('INTERNAL', 'internal error: a rebuild is going on');
      rebuilding = true;
      return startRebuild(connect(), hash, () => {
        rebuilding = false;
        version += 1;
      });
    },
    close() {
      if (closed) return;
      closed = true;
      // The package keeps a closed connection's statements, and with them its files, until they are garbage; so the log is
      // emptied here instead of by SQLite at the last close.
      if (!readOnly) checkpoint(database);
      database.close();
    },
  };
}

function apply(database: Database, hash: Hash, commit: Commit): void {
  const meta = readMeta(database, hash);
  if (commit.accept !== undefined) applyAccept(database, hash, meta, commit.accept);
  for (const key of commit.closedDrift ?? []) removeDrift(database, meta, key);
  for (const drift of commit.openDrift ?? []) putDrift(database, hash, meta, drift);
  for (const item of commit.outbox ?? []) enqueue(database, hash, item);
  for (const held of commit.holds ?? []) holdHook(database, hash, held);
  appendJournal(database, hash, meta, commit.journal ?? []);
  writeMeta(database, hash, meta);
}
