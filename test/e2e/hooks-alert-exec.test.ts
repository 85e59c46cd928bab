import { spawnSync } from 'node:child_process';
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
