// Drift on its way to the hooks. A row waits until a batch takes it; a batch stays until it is settled.
import { AppError } from '../domain/errors.ts';
import { type Hash, sealOf } from '../domain/seal.ts';
import type { BatchState, HookBacklog, Outbox, OutboxItem, Settlement } from '../engine/ports/outbox.ts';
import { integerColumn, optionalIntegerColumn, textColumn } from './column.ts';
import { type Database, type Row, transact } from './driver.ts';
import { readMemory, writeMemory } from './hook-memory.ts';
import { appendJournal } from './journal.ts';
import { packPaths, readMeta, writeMeta } from './meta.ts';
import { claim, peek } from './outbox-claim.ts';

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
    hasWaiting: (hook) => database.get(ANY_WAITING, hook) !== undefined,
    batches: (hook) => batchesOf(database, hook),
    claim: (hook, options = {}) =>
      transact(database, 'write', () => claim({ database, hash, hook, batches: batchesOf(database, hook), options })),
    peek: (hook, options = {}) =>
      transact(database, 'read', () => peek({ database, hash, hook, batches: batchesOf(database, hook), options })),
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

const ANY_WAITING = 'select n from outbox where hook = ? and batch is null limit 1';

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

function batchesOf(database: Database, hook: string): BatchState[] {
  return database.all(BATCHES, hook).map(decodeBatch);
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
