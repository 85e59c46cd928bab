// What all shipped scripts have in common.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HOOKS, PATH } from './shipped.ts';

const SCRIPTS = readdirSync(HOOKS, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== 'README.md')
  .map(({ name }) => name);

test('there are scripts', () => expect(SCRIPTS.length).toBeGreaterThanOrEqual(8));

test.each(SCRIPTS)('%s is executable, has help, is clean for shellcheck and stands in the README', (name) => {
  const file = join(HOOKS, name);
  expect(statSync(file).mode & 0o777).toBe(0o755);
  const help = spawnSync(file, ['--help'], { env: { PATH }, encoding: 'utf8' });
  expect(help).toMatchObject({ status: 0, stderr: '' });
  expect(help.stdout).toMatch(
    new RegExp(`^${name} - [\\s\\S]*\nusage: [\\s\\S]*\nInput [\\s\\S]*\nSettings [\\s\\S]*\nExit `),
  );
  expect(help.stdout).not.toMatch(/.{121}/);
  expect(spawnSync('shellcheck', [file], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
  expect(readFileSync(join(HOOKS, 'README.md'), 'utf8')).toContain(`| \`${name}\` |`);
});

test.each(SCRIPTS)('%s refuses what it does not know', (name) => {
  const ran = spawnSync(join(HOOKS, name), ['--nonsense'], { env: { PATH }, input: '', encoding: 'utf8' });
  expect(ran.status).toBe(64);
  expect(ran.stderr).toMatch(new RegExp(`^${name}: .*--help\n$`));
});
