// A commit is there whole or not at all, whatever fails in between.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../../src/domain/errors.ts';
import type { Commit, Store } from '../../../src/engine/ports/store.ts';
import { type Database, openDatabase } from '../../../src/sqlite/driver.ts';
import { storeOver } from '../../../src/sqlite/store.ts';
import { contentOf, drift, rebuildWith } from '../../contract/store.ts';
import { entry, path } from '../../fakes/entry.ts';
import { hash, openAt, temporaryDirectory } from './fixture.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

const COMMIT: Commit = {
  journal: ['{"n":1}', '{"n":2}'],
  openDrift: [drift('/d/2')],
  closedDrift: [path('/d/1')],
  outbox: [{ hook: 'h', record: '{}', paths: [path('/d/2')] }],
  holds: [{ hook: 'h', reason: 'much', sinceMs: 5 }],
  accept: { put: [entry('/d/new'), entry('/d/3', { sizeBytes: 7n })], drop: [path('/d/4'), path('/e')] },
};

function stateOf(store: Store): unknown {
  const { generation, entries } = store.baseline.info();
  const journal = [...store.journal.read()];
  return {
    generation,
    entries,
    content: contentOf(store),
    journal,
    drift: [...store.openDrift()],
    waiting: store.outbox.backlog().length,
    hold: store.outbox.memory('h').hold,
  };
}

function prepared(): string {
  const file = `${temporaryDirectory()}/b.db`;
  const store = openAt(file, 'create');
  rebuildWith(store, [...Array.from({ length: 300 }, (_, n) => entry(`/d/${n}`)), entry('/e/f')]);
  store.commit({ openDrift: [drift('/d/1')] });
  store.close();
  return file;
}

test('a commit whose nth statement fails leaves the old state, for every n', { timeout: 60_000 }, () => {
  const template = prepared();
  const old = stateOf(openAt(template, 'read'));
  let failures = 0;
  for (let n = 1; ; n += 1) {
    const file = `${temporaryDirectory()}/b.db`;
    copyFileSync(template, file);
    const inner = openDatabase(Buffer.from(file), { readOnly: false, busyMs: 50 });
    const counter = { left: n };
    const store = storeOver(failing(inner, counter), { hash, connect: () => inner, readOnly: false });
    const failed = throws(() => store.commit(COMMIT));
    inner.close();
    const state = stateOf(openAt(file, 'write'));
    if (!failed) {
      expect(counter.left).toBeGreaterThan(0);
      expect(state).toMatchObject({ generation: 2, entries: 300, waiting: 1, hold: { reason: 'much', sinceMs: 5 } });
      break;
    }
    expect(state, `statement ${n}`).toEqual(old);
    failures += 1;
  }
  expect(failures).toBeGreaterThan(15);
});

/** The same connection, whose nth statement from now fails once; a rollback always works. */
function failing(inner: Database, counter: { left: number }): Database {
  const count = <T>(sql: string, call: () => T): T => {
    if (sql !== 'rollback') counter.left -= 1;
    if (counter.left === 0) throw new AppError('IO', 'planted');
    return call();
  };
  return {
    exec: (sql) => count(sql, () => inner.exec(sql)),
    run: (sql, ...values) => count(sql, () => inner.run(sql, ...values)),
    get: (sql, ...values) => count(sql, () => inner.get(sql, ...values)),
    all: (sql, ...values) => count(sql, () => inner.all(sql, ...values)),
    inTransaction: inner.inTransaction,
    close: inner.close,
  };
}

function throws(call: () => void): boolean {
  try {
    call();
    return false;
  } catch (error) {
    expect(error).toMatchObject({ message: 'planted' });
    return true;
  }
}

test('30 kills in a loop of commits lose no commit that returned and show none by half', {
  timeout: 60_000,
}, async () => {
  const program = compiled('commit-loop.ts');
  const file = `${temporaryDirectory()}/b.db`;
  rebuildWith(openAt(file, 'create'), [entry('/pair/a', { sizeBytes: 0n }), entry('/pair/b', { sizeBytes: 0n })]);
  for (let kill = 0; kill < 30; kill += 1) {
    const acknowledged = await killedAfter(program, file, 2 + (kill % 7));
    const store = openAt(file, 'write');
    const a = store.baseline.find(path('/pair/a'))?.sizeBytes;
    expect(store.baseline.find(path('/pair/b'))?.sizeBytes).toBe(a);
    expect(Number(a)).toBeGreaterThanOrEqual(acknowledged);
    expect(store.baseline.info().generation).toBe(Number(a) + 1);
    expect([...store.journal.read()]).toHaveLength(Number(a));
    expect(store.journal.firstBroken()).toBeUndefined();
    store.close();
  }
});

/** Runs the loop until it has reported so many commits, kills it, and returns the last number that it reported. */
async function killedAfter(program: string, file: string, reports: number): Promise<number> {
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close');
  let last = 0;
  let lines = 0;
  for await (const line of createInterface(child.stdout)) {
    last = Number(line);
    lines += 1;
    if (lines === reports) child.kill('SIGKILL');
  }
  const [code, signal] = await closed;
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
  return last;
}

/** Node 20 does not run TypeScript; the program is compiled into a directory that sees our packages. */
function compiled(name: string): string {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, 'out'));
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      rootDir: ROOT,
      outDir: join(dir, 'out'),
      declaration: false,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    files: [join(import.meta.dirname, name)],
    include: [],
  };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config));
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', join(dir, 'tsconfig.json')]);
  const program = join(dir, 'out/test/unit/sqlite', name.replace('.ts', '.js'));
  expect(statSync(program).isFile()).toBe(true);
  return program;
}
