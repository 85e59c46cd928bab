// What is remembered of a hook over restarts: one row of JSON per hook.
import type { Hash } from '../domain/seal.ts';
import { isSameSeal, sealOf } from '../domain/seal.ts';
import { type HeldHook, type HookMemory, NO_MEMORY } from '../engine/ports/outbox.ts';
import { bytesColumn, textColumn } from './column.ts';
import type { Database } from './driver.ts';
import { untrusted } from './failure.ts';
import { formatOf, HOOK_MEMORY_FORMAT } from './migrations.ts';

export function readMemory(database: Database, hash: Hash, hook: string): HookMemory {
  // A file that no `watch` of this version has opened yet.
  if (formatOf(database) < HOOK_MEMORY_FORMAT) return NO_MEMORY;
  const row = database.get('select * from hook where name = ?', hook);
  if (row === undefined) return NO_MEMORY;
  const memory = textColumn(row, 'memory');
  if (!isSameSeal(sealOf(hash, [hook, memory]), bytesColumn(row, 'seal'))) {
    throw untrusted(`what it remembers of hook ${hook} does not match its seal`);
  }
  // Nobody else has written it: the seal is as good as a parser.
  return JSON.parse(memory) as HookMemory;
}

export function holdHook(database: Database, hash: Hash, { hook, ...hold }: HeldHook): void {
  writeMemory(database, hash, hook, { ...readMemory(database, hash, hook), hold });
}

export function writeMemory(database: Database, hash: Hash, hook: string, memory: HookMemory): void {
  const text = JSON.stringify(memory);
  database.run('insert or replace into hook values (?, ?, ?)', hook, sealOf(hash, [hook, text]), text);
}
