// Threads without work end, and nothing that is asked for is lost with them.
import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import * as early from '../../../src/disk/early.ts';
import { openPool, type Pool } from '../../../src/disk/pool.ts';
import { namesWork, packWork } from '../../../src/disk/work.ts';
import { type BytePath, pathFromText } from '../../../src/domain/path.ts';
import { ruleOver, scopeOf, temporaryDirectory } from './fixture.ts';

const NAMES = Array.from({ length: 50 }, (_, n) => pathFromText(`f${n}`));

function poolOver(dir: string, threads: number, restMs: number): Pool {
  const pool = openPool(
    threads,
    {
      kind: 'setup',
      scope: scopeOf(ruleOver([dir])),
      engine: 'auto',
      pace: undefined,
      idle: false,
      dropCache: false,
      isBrief: false,
      digestMaxBytes: Number.POSITIVE_INFINITY,
    },
    restMs,
  );
  onTestFinished(() => pool.close());
  return pool;
}

function filled(): BytePath {
  const dir = temporaryDirectory();
  for (const name of NAMES) writeFileSync(`${dir}/${name}`, 'x'.repeat(1000));
  return pathFromText(dir);
}

const read = (pool: Pool, dir: BytePath) => pool.ask({ kind: 'pages', work: [packWork(namesWork(dir, NAMES))] });
const bytesOf = (pool: Pool): number => pool.meters().reduce((sum, { bytesRead }) => sum + bytesRead, 0);
const resting = (pool: Pool) => expect.poll(() => pool.size(), { timeout: 60_000 }).toBe(1);

test('all threads but one end, others begin when there is more than one can do', async () => {
  const dir = filled();
  const pool = poolOver(dir, 3, 10);
  expect(pool.size()).toBe(3);
  await Promise.all([read(pool, dir), read(pool, dir), read(pool, dir)]);
  await resting(pool);
  // As long as it takes: how fast a thread is is no matter.
  let isEnough = false;
  const asking = Array.from({ length: 8 }, async () => {
    while (!isEnough) await read(pool, dir);
  });
  await expect.poll(() => pool.size(), { timeout: 60_000 }).toBe(3);
  isEnough = true;
  await Promise.all(asking);
  await resting(pool);
});

test('who asks in rounds, and waits for each, gets more threads, too', async () => {
  const dir = filled();
  const pool = poolOver(dir, 3, 1_000);
  await resting(pool);
  let rounds = 0;
  while (pool.size() < 3) {
    await Promise.all(Array.from({ length: 4 }, () => read(pool, dir)));
    rounds += 1;
  }
  expect(rounds).toBeGreaterThan(1);
});

test('a thread that cannot begin when there are others is done without', async () => {
  const dir = filled();
  const pool = poolOver(dir, 2, 10);
  await resting(pool);
  const begun = vi
    .spyOn(early, 'takeWorker')
    .mockImplementation(() => new Worker('throw new Error("no")', { eval: true }));
  onTestFinished(() => begun.mockRestore());
  while (begun.mock.calls.length === 0) await Promise.all(Array.from({ length: 4 }, () => read(pool, dir)));
  await resting(pool);
  expect((await read(pool, dir)).pages).toHaveLength(1);
});

test('what threads have read stays read when they end, and what begins counts on', async () => {
  const dir = filled();
  const pool = poolOver(dir, 4, 1);
  let asked = 0;
  for (let round = 0; round < 20; round += 1) {
    const replies = await Promise.all(Array.from({ length: 100 }, () => read(pool, dir)));
    asked += replies.length;
    expect(replies.map(({ pages }) => pages.length)).toEqual(replies.map(() => 1));
    expect(bytesOf(pool)).toBe(asked * NAMES.length * 1000);
  }
  await resting(pool);
  expect(bytesOf(pool)).toBe(asked * NAMES.length * 1000);
});

test('a pool is closed while its threads are on their way out', async () => {
  const dir = filled();
  const pool = poolOver(dir, 4, 1);
  await read(pool, dir);
  await resting(pool);
  await pool.close();
  await expect(read(pool, dir)).rejects.toThrow('the disk workers are closed');
});
