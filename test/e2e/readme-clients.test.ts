// The table for who comes from pyfanotify names constants that there are, and its program runs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import * as lib from '../../src/fanotify/index.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SECTION =
  /## Coming from pyfanotify\n([\s\S]*?)\n## /.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';

test('every constant that the section names is exported', () => {
  const names = [...SECTION.matchAll(/FAN_[A-Z_]+[A-Z]/g)].map(([name]) => name);
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !(name in lib))).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)('its program prints what is created (needs root for its mark)', async () => {
  const program = /```ts\n([\s\S]*?)```/.exec(SECTION)?.[1] ?? '';
  const scratch = mkdtempSync(join(tmpdir(), 'driftline-readme-clients-'));
  const own = program.replace("'driftline/fanotify'", `'${ROOT}/dist/fanotify/index.js'`).replaceAll('/srv', scratch);
  expect(own).not.toBe(program);
  writeFileSync(join(scratch, 'program.mjs'), own);
  const running = spawn(process.execPath, [join(scratch, 'program.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let said = '';
    running.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const name = join(scratch, 'www/page');
    // It says nothing of being ready: create until it sees that.
    const script = `mkdir -p '${scratch}/www'; rm -f '${name}'; : > '${name}'`;
    await expect.poll(() => spawnSync('sh', ['-c', script]) && said.includes(name), { timeout: 30_000 }).toBe(true);
    expect(said).toMatch(/^\/\S+ undefined \/\S+page$/m);
  } finally {
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
    rmSync(scratch, { recursive: true, force: true });
  }
});
