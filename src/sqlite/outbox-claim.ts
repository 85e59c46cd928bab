// The next batch of a hook: one that was begun, or a new one of what waits, of which no more is read than it may hold.
import { randomBytes } from 'node:crypto';
import { comparePaths } from '../domain/path.ts';
import { type Hash, isSameSeal, sealOf } from '../domain/seal.ts';
import type { BatchState, ClaimOptions, HookBatch, WaitingItem } from '../engine/ports/outbox.ts';
import { bytesColumn, integerColumn, textColumn } from './column.ts';
import type { Database, Row } from './driver.ts';
import { untrusted } from './failure.ts';
import { unpackPaths } from './meta.ts';
import { batchFormer, type FormedBatch } from './outbox-batch.ts';

export interface ClaimParts {
  readonly database: Database;
  readonly hash: Hash;
  readonly hook: string;
  /** All of the hook that were begun, and those that were given up. */
  readonly batches: readonly BatchState[];
  readonly options: ClaimOptions;
}

/** In a transaction. */
export function claim(parts: ClaimParts): HookBatch | undefined {
  const { database, hook } = parts;
  const { batch, taken, dropped, isAll } = next(parts);
  for (const number of dropped) database.run('delete from outbox where n = ?', number);
  if (batch === undefined || batch.key !== '') return batch;
  const key = randomBytes(16).toString('hex');
  database.run("insert into batch values (?, ?, 0, null, 'open')", key, hook);
  if (isAll) database.run(TAKE_ALL, key, hook);
  else for (const { number } of taken) database.run('update outbox set batch = ? where n = ?', key, number);
  return { ...batch, key };
}

/** In a transaction; changes nothing. */
export function peek(parts: ClaimParts): HookBatch | undefined {
  return next(parts).batch;
}

const TAKE_ALL = 'update outbox set batch = ? where hook = ? and batch is null';

interface Next extends FormedBatch {
  /** Without a key: it is a new one. */
  readonly batch: HookBatch | undefined;
  /** Nothing that waits is left behind. */
  readonly isAll: boolean;
}

function next(parts: ClaimParts): Next {
  const { hook, batches, options } = parts;
  const open = batches.filter(({ isDead }) => !isDead);
  const left = open.find(({ key }) => options.busy?.has(key) !== true);
  if (left !== undefined) {
    const batch = batchOf(hook, left.key, left.attempts, itemsOf(parts, left.key));
    return { batch, taken: [], dropped: new Set(), isAll: false };
  }
  const delivering = open.flatMap(({ key }) => itemsOf(parts, key));
  const formed = formNext(parts, delivering);
  return { ...formed, batch: formed.taken.length === 0 ? undefined : batchOf(hook, '', 0, formed.taken) };
}

/** Looks at one window after the other until something of it can be delivered. */
function formNext(parts: ClaimParts, delivering: readonly WaitingItem[]): Omit<Next, 'batch'> {
  const { options } = parts;
  const form = batchFormer(delivering, options);
  const windowItems = options.maxPaths === undefined ? undefined : Math.max(WINDOW_MIN, 2 * options.maxPaths);
  const dropped = new Set<number>();
  for (let after = 0; ; ) {
    const waiting = waitingAfter(parts, after, windowItems);
    const formed = form(waiting);
    for (const number of formed.dropped) dropped.add(number);
    const isEnd = windowItems === undefined || waiting.length < windowItems;
    const { taken } = formed;
    if (isEnd || taken.length > 0) {
      const isAll = isEnd && after === 0 && taken.length + dropped.size === waiting.length;
      return { taken, dropped, isAll };
    }
    after = waiting.at(-1)?.number ?? after;
  }
}

/** Items of a window: most have one path, and some of them are of the same. */
const WINDOW_MIN = 5_000;

// The numbers come from the index alone: rows that are not in the window are not read, however much waits.
const WAITING = `select * from outbox where n in (
    select n from outbox indexed by outbox_waiting where hook = ? and batch is null and n > ? order by n limit ?
  ) order by n`;

function waitingAfter({ database, hash, hook }: ClaimParts, after: number, count = -1): WaitingItem[] {
  return database.all(WAITING, hook, after, count).map((row) => decodeItem(hash, row));
}

function itemsOf({ database, hash }: ClaimParts, key: string): WaitingItem[] {
  return database.all('select * from outbox where batch = ? order by n', key).map((row) => decodeItem(hash, row));
}

function batchOf(hook: string, key: string, attempts: number, items: readonly WaitingItem[]): HookBatch {
  const paths = [...new Set(items.flatMap((item) => item.paths))].sort(comparePaths);
  const lastNumber = items.at(-1)?.number ?? 0;
  return { key, hook, attempts, records: items.map(({ record }) => record), paths, lastNumber };
}

function decodeItem(hash: Hash, row: Row): WaitingItem {
  const hook = textColumn(row, 'hook');
  const record = textColumn(row, 'record');
  const packed = bytesColumn(row, 'paths');
  const number = integerColumn(row, 'n');
  if (!isSameSeal(sealOf(hash, [hook, packed, record]), bytesColumn(row, 'seal'))) {
    throw untrusted(`row ${number} of its outbox does not match its seal`);
  }
  return { number, atMs: integerColumn(row, 'at_ms'), hook, record, paths: unpackPaths(packed) };
}
