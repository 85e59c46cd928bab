// How init and check read: at a rate, behind everybody else, without a trace in the page cache.
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { run, system, test } from './program.ts';

const MiB = 1024 * 1024;

test('every option gives the same baseline, and finds the same', ({ scratch }) => {
  for (let index = 0; index < 200; index += 1) scratch.write(`${index % 7}/${index}`, 'x'.repeat(index * 100));
  scratch.write('large', '');
  truncateSync(join(scratch.tree, 'large'), 40 * MiB);
  const ways = [[], ['--jobs', '7'], ['--max-rate', '200MiB/s'], ['--idle', '--drop-cache']];
  const reports = ways.map((way) => {
    expect(scratch.drive('init', '--force', ...way, scratch.tree).status).toBe(0);
    return ways.map((other) => {
      const { status, document } = scratch.check(...other);
      return { status, entries: document.entries, bytes: document.bytes, drift: document.drift };
    });
  });
  expect(new Set(reports.flat().map((report) => JSON.stringify(report))).size).toBe(1);
  expect(reports[0]?.[0]).toMatchObject({ status: 0, entries: 209, drift: [] });
});

test('--max-rate holds', ({ scratch }) => {
  writeFileSync(join(scratch.tree, 'file'), Buffer.alloc(3 * MiB));
  const startMs = performance.now();
  expect(scratch.drive('init', '--max-rate', '2MiB/s', scratch.tree).status).toBe(0);
  expect(performance.now() - startMs).toBeGreaterThan(1300);
});

test('--jobs has an end', ({ scratch }) => {
  const { status, stderr } = scratch.drive('init', '--jobs', '65', scratch.tree);
  expect(status).toBe(64);
  expect(stderr).toContain("argument '65' is invalid. it must be 64 at most");
});

test('--idle asks for the lowest priorities for each thread that reads, and for all that are there', ({ scratch }) => {
  scratch.write('file');
  const trace = join(scratch.base, 'trace');
  const by = ['strace', '-f', '-o', trace, '-e', 'trace=setpriority,ioprio_set'];
  const args = ['--baseline', scratch.baseline, 'init', '--jobs', '2', '--idle', scratch.tree];
  expect(run(args, { by }).status).toBe(0);
  const lines = system('cat', trace);
  const asked = (call: string, value: string): string[] =>
    [...lines.matchAll(new RegExp(`^(\\d+) +${call}\\(\\w+, (\\d+), ${value}\\) += 0$`, 'gm'))]
      .map(([, thread = '', whom = '']) => (whom === '0' ? thread : whom))
      .sort();
  const threads = asked('setpriority', '19');
  expect(asked('ioprio_set', 'IOPRIO_PRIO_VALUE\\(IOPRIO_CLASS_IDLE, 0\\)')).toEqual(threads);
  // The main thread, the two that read, and those of V8 and libuv.
  expect(threads).toContain(/^\d+/.exec(lines)?.[0]);
  expect(new Set(threads).size).toBeGreaterThan(6);
});
