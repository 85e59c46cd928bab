// Drift on its way to the hooks. A row waits until a batch takes it; a batch stays until it is settled.
import { randomBytes } from 'node:crypto';
import { AppError } from '../domain/errors.ts';
import { comparePaths } from '../domain/path.ts';
import { type Hash, isSameSeal, sealOf } from '../domain/seal.ts';
import type { HookBacklog, HookBatch, Outbox, OutboxItem, Settlement } from '../engine/ports/store.ts';
import { bytesColumn, integerColumn, optionalIntegerColumn, textColumn } from './column.ts';
import { type Database, type Row, transact } from './driver.ts';
import { untrusted } from './failure.ts';
import { appendJournal } from './journal.ts';
import { packPaths, readMeta, unpackPaths, writeMeta } from './meta.ts';

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
  return {
    backlog: () => database.all(BACKLOG).map(decodeBacklog),
    claim: (hook) => transact(database, 'write', () => claim(database, hash, hook)),
    settle: (key, settlement, journal) =>
      transact(database, 'write', () => {
        settle(database, key, settlement);
        const meta = readMeta(database, hash);
        appendJournal(database, hash, meta, journal);
        writeMeta(database, hash, meta);
      }),
  };
}

const BACKLOG = `
  select outbox.hook as hook,
    sum(batch.state is not 'dead') as pending,
    sum(batch.state is 'dead') as dead,
    min(case when batch.state is not 'dead' then at_ms end) as oldest_ms,
    max(case when batch.state is 'open' then not_before_ms end) as not_before_ms
  from outbox left join batch on batch.key = outbox.batch group by outbox.hook order by outbox.hook`;

function decodeBacklog(row: Row): HookBacklog {
  return {
    hook: textColumn(row, 'hook'),
    pending: integerColumn(row, 'pending'),
    dead: integerColumn(row, 'dead'),
    oldestMs: optionalIntegerColumn(row, 'oldest_ms'),
    notBeforeMs: optionalIntegerColumn(row, 'not_before_ms'),
  };
}

function claim(database: Database, hash: Hash, hook: string): HookBatch | undefined {
  const open = database.get("select key, attempts from batch where hook = ? and state = 'open'", hook);
  if (open !== undefined)
    return readBatch(database, hash, hook, textColumn(open, 'key'), integerColumn(open, 'attempts'));
  const waiting = database.get('select n from outbox where hook = ? and batch is null limit 1', hook);
  if (waiting === undefined) return undefined;
  const key = randomBytes(16).toString('hex');
  database.run("insert into batch values (?, ?, 0, null, 'open')", key, hook);
  database.run('update outbox set batch = ? where hook = ? and batch is null', key, hook);
  return readBatch(database, hash, hook, key, 0);
}

function readBatch(database: Database, hash: Hash, hook: string, key: string, attempts: number): HookBatch {
  const items = database
    .all('select * from outbox where batch = ? order by n', key)
    .map((row) => decodeItem(hash, row));
  const paths = [...new Set(items.flatMap((item) => item.paths))].sort(comparePaths);
  return { key, hook, attempts, records: items.map(({ record }) => record), paths };
}

function decodeItem(hash: Hash, row: Row): OutboxItem {
  const hook = textColumn(row, 'hook');
  const record = textColumn(row, 'record');
  const packed = bytesColumn(row, 'paths');
  if (!isSameSeal(sealOf(hash, [hook, packed, record]), bytesColumn(row, 'seal'))) {
    throw untrusted(`row ${integerColumn(row, 'n')} of its outbox does not match its seal`);
  }
  return { hook, record, paths: unpackPaths(packed) };
}

function settle(database: Database, key: string, settlement: Settlement): void {
  const open = database.get("select key from batch where key = ? and state = 'open'", key);
  if (open === undefined) throw new AppError('INTERNAL', `internal error: there is no open batch ${key}`);
  switch (settlement.kind) {
    case 'done':
      database.run('delete from outbox where batch = ?', key);
      database.run('delete from batch where key = ?', key);
      return;
    case 'again':
      database.run(
        'update batch set attempts = attempts + 1, not_before_ms = ? where key = ?',
        settlement.notBeforeMs,
        key,
      );
      return;
    case 'dead':
      database.run("update batch set attempts = attempts + 1, state = 'dead' where key = ?", key);
      return;
    case 'released':
      database.run('update outbox set batch = null where batch = ?', key);
      database.run('delete from batch where key = ?', key);
      return;
  }
}
