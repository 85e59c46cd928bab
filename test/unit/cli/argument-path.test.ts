import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { argumentPath } from '../../../src/cli/argument-path.ts';
import { pathFromText } from '../../../src/domain/path.ts';

const startDir = pathFromText('/srv/www');

test.each([
  ['a', '/srv/www/a'],
  ['./a/../b//c/', '/srv/www/b/c'],
  ['/etc/', '/etc'],
  ['/', '/'],
  ['..', '/srv'],
  ['ä', '/srv/www/\xc3\xa4'],
])('argumentPath(%j) is %j', (argument, expected) => {
  expect(argumentPath(argument, startDir)).toBe(expected);
});

test('an empty argument names nothing', () => {
  expect(() => argumentPath('', startDir)).toThrow('empty path');
});

test('bytes that are not UTF-8 are taken from the kernel', () => {
  const module = resolve(import.meta.dirname, '../../../dist/cli/argument-path.js');
  const script = `import { argumentPath } from '${module}'; process.stdout.write(argumentPath(process.argv[1], '/'), 'latin1')`;
  const line = `exec "$0" --input-type=module -e "$1" "$(printf '/x\\377y')"`;
  const out = execFileSync('sh', ['-c', line, process.execPath, script]);
  expect(out.toString('latin1')).toBe('/x\xffy');
});
