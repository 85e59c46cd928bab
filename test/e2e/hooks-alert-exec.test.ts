import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const HOOKS = join(import.meta.dirname, '../../hooks');
const PATH = '/usr/bin:/bin';

function alert(command: readonly string[], input = ''): { status: number | null; stdout: string } {
  const words = command.map((word, index) => [`DRIFTLINE_COMMAND_${index + 1}`, word]);
  const env = { PATH, DRIFTLINE_COMMAND_COUNT: String(command.length), ...Object.fromEntries(words) };
  return spawnSync(join(HOOKS, 'alert-exec'), { env, input, encoding: 'utf8' });
}

test('arguments and input arrive as they are', () => {
  const args = ['$(touch /tmp/pwn)', 'a  b', '', '*', '-n', '"', '\n'];
  const ran = alert(['sh', '-c', 'printf "%s|" "$@"; cat', 'sh', ...args], 'critical changed /etc/passwd\n');
  expect(ran).toMatchObject({
    status: 0,
    stdout: `${args.map((arg) => `${arg}|`).join('')}critical changed /etc/passwd\n`,
  });
});

test.each([0, 1, 75])('exit %i is passed on', (status) => {
  expect(alert(['sh', '-c', `exit ${status}`]).status).toBe(status);
});

test.each([[[]], [['']], [['-x']]])('%j is no command', (command) => {
  expect(alert(command).status).toBe(64);
});

const SCRIPTS = readdirSync(HOOKS).filter((name) => name !== 'README.md');

test('every shipped script is executable, has help, is clean for shellcheck and stands in the README', () => {
  expect(SCRIPTS).toHaveLength(3);
  const readme = readFileSync(join(HOOKS, 'README.md'), 'utf8');
  for (const name of SCRIPTS) {
    const file = join(HOOKS, name);
    expect(statSync(file).mode & 0o777).toBe(0o755);
    const help = spawnSync(file, ['--help'], { env: { PATH }, encoding: 'utf8' });
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(new RegExp(`^${name} - [\\s\\S]*\nusage: [\\s\\S]*\nExit `));
    expect(spawnSync('shellcheck', [file], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
    expect(readme).toContain(`| \`${name}\` |`);
  }
});
