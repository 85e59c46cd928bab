// Names are bytes: whatever they are, each change is recorded under its own name, and every line stays one line.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { missingCapability, needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import type { Daemon } from './daemon.ts';
import { Site } from './site.ts';

const NAMES = [
  'new\nline',
  'esc\x1b[31mred',
  'bad\xff\xfe',
  'n'.repeat(255),
  '\xc3\xbcmlaut',
  ' ',
  '-rf',
  '"quoted"',
  'back\\slash',
  '*',
  '#1',
  '#12345',
  '\xe2\x80\xaegnp.exe',
];

let site: Site;
let daemon: Daemon;

beforeEach(needCapabilities);
beforeAll(async () => {
  if (missingCapability() !== undefined) return;
  site = new Site();
  daemon = await site.begin();
});
afterAll(async () => await site?.[Symbol.asyncDispose]());

const bytes = (name: string): Buffer => Buffer.from(`${site.root}/${name}`, 'latin1');
const settled = async () => briefs(await daemon.settled(), site.root);

test('hostile names: added, changed, gone', async () => {
  for (const name of NAMES) writeFileSync(bytes(name), 'one');
  expect(await settled()).toEqual(NAMES.map((name) => `added ${name}`).sort());
  for (const name of NAMES) writeFileSync(bytes(name), 'two!');
  expect(await settled()).toEqual(NAMES.map((name) => `added ${name}`).sort());
  expect(site.check()).toMatchObject({ added: NAMES.length, incomplete: 0 });
  for (const name of NAMES) rmSync(bytes(name));
  expect(await settled()).toEqual(NAMES.map((name) => `resolved ${name}`).sort());
});

test('directories with hostile names, and links to hostile targets', async () => {
  for (const name of NAMES) {
    mkdirSync(bytes(name));
    writeFileSync(bytes(`${name}/${name}`), 'x');
    symlinkSync(Buffer.from(name, 'latin1'), bytes(`${name}/link`));
  }
  const expected = NAMES.flatMap((name) => [`added ${name}`, `added ${name}/${name}`, `added ${name}/link`]);
  expect(await settled()).toEqual(expected.sort());
  expect(site.driftline('accept', '--all').status).toBe(0);
  expect(site.check()).toMatchObject({ exitCode: 0 });
});

test('a path beyond 4096 bytes', async () => {
  // No path that long can be handed to a system call: made step by step, as a shell does it.
  const name = 'd'.repeat(200);
  const deep = Array.from({ length: 25 }, () => name).join('/');
  site.shell(`for i in {1..25}; do mkdir ${name}; cd ${name}; done; echo 1 >file`);
  expect(await settled()).toContain(`added ${deep}/file`);
  expect(site.check()).toMatchObject({ added: 26, incomplete: 0 });
  site.shell(`for i in {1..25}; do cd ${name}; done; echo 2 >>file`);
  expect(await settled()).toEqual([`added ${deep}/file`]);
  expect(site.driftline('accept', '--all').status).toBe(0);
  site.shell(`for i in {1..25}; do cd ${name}; done; echo 3 >>file`);
  expect(await settled()).toEqual([`changed ${deep}/file: size mtime digest`]);
  site.shell(`rm -r ${name}`);
  expect(await settled()).toHaveLength(26);
});
