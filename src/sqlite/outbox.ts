// Drift on its way to the hooks. A row waits until a batch takes it; a batch stays until it is settled.
import { randomBytes } from 'node:crypto';
import { AppError } from '../domain/errors.ts';
import { comparePaths } from '../domain/path.ts';
import { type Hash, isSameSeal, sealOf } from '../domain/seal.ts';
import type {
  BatchState,
  ClaimOptions,
  HookBacklog,
  HookBatch,
  Outbox,
  OutboxItem,
  Settlement,
  WaitingItem,
} from '../engine/ports/outbox.ts';
import { bytesColumn, integerColumn, optionalIntegerColumn, textColumn } from './column.ts';
import { type Database, type Row, transact } from './driver.ts';
import { untrusted } from './failure.ts';
import { readMemory, writeMemory } from './hook-memory.ts';
import { appendJournal } from './journal.ts';
import { packPaths, readMeta, unpackPaths, writeMeta } from './meta.ts';
import { formBatch } from './outbox-batch.ts';

export function enqueue(database: Database, hash: Hash, { hook, record, paths }: OutboxItem): void {
  const packed = packPaths(paths);
  const seal = sealOf(hash, [hook, packed, record]);
  const insert = 'insert into outbox (hook, at_ms, seal, paths, record) values (?, ?, ?, ?, ?)';
  database.run(insert, hook, Date.now(), seal, packed, record);
}

export function clearOutbox(database: Database): void {
  database.run('delete from outbox');
  database.run('delete from batch');
}

export function outboxOf(database: Database, hash: Hash): Outbox {
  const journaled = (journal: readonly string[], work: () => void): void =>
    transact(database, 'write', () => {
      work();
      const meta = readMeta(database, hash);
      appendJournal(database, hash, meta, journal);
      writeMeta(database, hash, meta);
    });
  return {
    backlog: () => database.all(BACKLOG).map(decodeBacklog),
    batches: (hook) => database.all(BATCHES, hook).map(decodeBatch),
    claim: (hook, options = {}) => transact(database, 'write', () => claim(database, hash, hook, options)),
    peek: (hook, options = {}) => transact(database, 'read', () => next(database, hash, hook, options)?.batch),
    settle: (key, settlement, journal, memory) =>
      journaled(journal, () => {
        const hook = settle(database, key, settlement);
        if (memory !== undefined) writeMemory(database, hash, hook, memory);
      }),
    revive: (hook) => transact(database, 'write', () => database.all(REVIVE, hook).length),
    memory: (hook) => readMemory(database, hash, hook),
    remember: (hook, memory, journal) => journaled(journal, () => writeMemory(database, hash, hook, memory)),
  };
}

const BACKLOG = `
  select outbox.hook as hook,
    sum(batch.state is not 'dead') as pending,
    sum(batch.state is null) as waiting,
    sum(batch.state is 'dead') as dead,
    min(case when batch.state is not 'dead' then at_ms end) as oldest_ms,
    max(case when batch.state is 'open' then not_before_ms end) as not_before_ms
  from outbox left join batch on batch.key = outbox.batch group by outbox.hook order by outbox.hook`;

const BATCHES = `
  select batch.key as key, state = 'dead' as dead, attempts, not_before_ms, count(*) as items, min(at_ms) as oldest_ms
  from batch join outbox on outbox.batch = batch.key where batch.hook = ? group by batch.key order by min(n)`;

const REVIVE =
  "update batch set state = 'open', attempts = 0, not_before_ms = null where hook = ? and state = 'dead' returning key";

function decodeBacklog(row: Row): HookBacklog {
  return {
    hook: textColumn(row, 'hook'),
    pending: integerColumn(row, 'pending'),
    waiting: integerColumn(row, 'waiting'),
    dead: integerColumn(row, 'dead'),
    oldestMs: optionalIntegerColumn(row, 'oldest_ms'),
    notBeforeMs: optionalIntegerColumn(row, 'not_before_ms'),
  };
}

function decodeBatch(row: Row): BatchState {
  return {
    key: textColumn(row, 'key'),
    isDead: integerColumn(row, 'dead') === 1,
    attempts: integerColumn(row, 'attempts'),
    items: integerColumn(row, 'items'),
    oldestMs: integerColumn(row, 'oldest_ms'),
    notBeforeMs: optionalIntegerColumn(row, 'not_before_ms'),
  };
}

interface Next {
  /** Without a key: it is a new one. */
  readonly batch: HookBatch | undefined;
  readonly taken: readonly WaitingItem[];
  readonly dropped: ReadonlySet<number>;
  /** Nothing that waits is left behind. */
  readonly isAll: boolean;
}

function next(database: Database, hash: Hash, hook: string, options: ClaimOptions): Next {
  const { busy = new Set() } = options;
  const open = database
    .all(BATCHES, hook)
    .map(decodeBatch)
    .filter(({ isDead }) => !isDead);
  const left = open.find(({ key }) => !busy.has(key));
  if (left !== undefined) {
    const batch = batchOf(hook, left.key, left.attempts, itemsOf(database, hash, left.key));
    return { batch, taken: [], dropped: new Set(), isAll: false };
  }
  const delivering = open.flatMap(({ key }) => itemsOf(database, hash, key));
  const waiting = database.all(WAITING, hook).map((row) => decodeItem(hash, row));
  const { taken, dropped } = formBatch(waiting, delivering, options);
  const isAll = taken.length + dropped.size === waiting.length;
  return { batch: taken.length === 0 ? undefined : batchOf(hook, '', 0, taken), taken, dropped, isAll };
}

function claim(database: Database, hash: Hash, hook: string, options: ClaimOptions): HookBatch | undefined {
  const { batch, taken, dropped, isAll } = next(database, hash, hook, options);
  for (const number of dropped) database.run('delete from outbox where n = ?', number);
  if (batch === undefined || batch.key !== '') return batch;
  const key = randomBytes(16).toString('hex');
  database.run("insert into batch values (?, ?, 0, null, 'open')", key, hook);
  if (isAll) database.run(TAKE_ALL, key, hook);
  else for (const { number } of taken) database.run('update outbox set batch = ? where n = ?', key, number);
  return { ...batch, key };
}

const TAKE_ALL = 'update outbox set batch = ? where hook = ? and batch is null';
const WAITING = 'select * from outbox where hook = ? and batch is null order by n';

function itemsOf(database: Database, hash: Hash, key: string): WaitingItem[] {
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
  return { number, hook, record, paths: unpackPaths(packed) };
}

/** Returns the batch's hook. */
function settle(database: Database, key: string, settlement: Settlement): string {
  const open = database.get("select hook from batch where key = ? and state = 'open'", key);
  if (open === undefined) throw new AppError('INTERNAL', `internal error: there is no open batch ${key}`);
  switch (settlement.kind) {
    case 'done':
      database.run('delete from outbox where batch = ?', key);
      database.run('delete from batch where key = ?', key);
      break;
    case 'again':
      database.run(
        'update batch set attempts = attempts + ?, not_before_ms = ? where key = ?',
        settlement.counts ? 1 : 0,
        settlement.notBeforeMs ?? null,
        key,
      );
      break;
    case 'dead':
      database.run("update batch set attempts = attempts + 1, state = 'dead' where key = ?", key);
      break;
    case 'released':
      database.run('update outbox set batch = null where batch = ?', key);
      database.run('delete from batch where key = ?', key);
      break;
  }
  return textColumn(open, 'hook');
}
