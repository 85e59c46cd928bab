// The library's programs in the README, each as it stands there, on a filesystem of its own.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { Scratch } from '../kernel/scratch.ts';
import { collect } from './daemon.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAMS = new Map(
  [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/<!-- program: (\w+) -->\n```js\n([\s\S]*?)```/g)].map(
    ([, name = '', text = '']) => [name, text],
  ),
);

let scratch: Scratch;
let mount: string;
let running: ChildProcess | undefined;

beforeEach(needCapabilities);
beforeEach(() => {
  scratch = new Scratch();
  mount = scratch.tmpfs('fs');
});
afterEach(async () => {
  const ended = running?.exitCode === null && new Promise((done) => running?.once('close', done));
  running?.kill('SIGKILL');
  await ended;
  scratch[Symbol.dispose]();
});

/** A project of somebody else, which has driftline installed. */
function project(name: string): string {
  const dir = join(scratch.dir, 'project');
  mkdirSync(join(dir, 'node_modules'), { recursive: true });
  symlinkSync(ROOT, join(dir, 'node_modules/driftline'));
  writeFileSync(join(dir, `${name}.mjs`), PROGRAMS.get(name) ?? '');
  return join(dir, `${name}.mjs`);
}

function start(name: string): () => string {
  running = spawn(process.execPath, [project(name), mount], { stdio: ['ignore', 'pipe', 'inherit'] });
  return collect(running.stdout);
}

/** Does it again and again, because the programs do not say when they are ready. */
async function doUntil(script: string, isSeen: () => boolean): Promise<void> {
  await expect.poll(() => spawnSync('sh', ['-c', script], { cwd: mount }) && isSeen(), { timeout: 30_000 }).toBe(true);
}

test('there are five, of at most 15 lines', () => {
  expect([...PROGRAMS.keys()]).toEqual(['opened', 'names', 'guard', 'writers', 'probe']);
  for (const text of PROGRAMS.values()) expect(text.trim().split('\n').length).toBeLessThanOrEqual(15);
});

test('opened', async () => {
  const said = start('opened');
  writeFileSync(join(mount, 'file'), 'x');
  await doUntil('cat file', () => said().includes('/file'));
  expect(said()).toMatch(new RegExp(`^\\d+ ${mount}/file$`, 'm'));
});

test('names', async () => {
  const said = start('names');
  await doUntil('rm -rf d; mkdir d; : >d/a; mv d/a b; rm b', () => said().includes('FAN_RENAME'));
  for (const line of [
    `FAN_CREATE|FAN_ONDIR ${mount}/d`,
    `FAN_CREATE ${mount}/d/a`,
    `FAN_RENAME ${mount}/d/a -> ${mount}/b`,
    `FAN_DELETE ${mount}/b`,
  ]) {
    await expect.poll(() => said().split('\n'), { timeout: 10_000 }).toContain(line);
  }
});

test('guard', async () => {
  for (const name of ['mine', 'anybodys']) copyFileSync('/bin/true', join(mount, name));
  chmodSync(join(mount, 'anybodys'), 0o757);
  const said = start('guard');
  await expect.poll(said, { timeout: 30_000 }).toBe('guarding\n');
  expect(spawnSync(join(mount, 'mine')).status).toBe(0);
  expect(spawnSync(join(mount, 'anybodys')).error).toMatchObject({ code: 'EPERM' });
});

test('writers', async () => {
  const said = start('writers');
  await doUntil('touch a b; cp a c; touch stop', () => running?.exitCode === 0);
  expect(said()).toMatch(/touch|cp/);
  expect(said()).toMatch(/\d/);
});

test('probe', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [project('probe'), mount], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^filesystem yes\nmount yes\ninode yes\n/m);
  expect(execFileSync('ls', ['-A', mount], { encoding: 'utf8' })).toBe('');
});
