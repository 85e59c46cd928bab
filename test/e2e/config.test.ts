// A configuration that is wrong or that others could change: one clear message, exit 78, nothing started.
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { run, type Scratch, test } from './program.ts';

const RULE = 'rules:\n  - name: one\n    paths: [/etc]\n';

/** Line 1 is the scratch's `baseline:`. */
describe('a mistake is one message with file, line and key', () => {
  test.for([
    ['unknown key', `${RULE}    sevrity: critical\n`, 5, 'rules[0].sevrity', /did you mean.*severity/],
    ['unknown key at the top', `${RULE}hoks: {}\n`, 5, 'hoks', /did you mean.*hooks/],
    ['wrong type', `${RULE}    oneFileSystem: perhaps\n`, 5, 'rules[0].oneFileSystem', /must be true or false/],
    ['wrong type of a list', 'rules: 7\n', 2, 'rules', /must be a list/],
    ['unknown hook', `${RULE}    hooks: [alert]\n`, 5, 'rules[0].hooks[0]', /there is no hook 'alert'/],
    ['rule without a path', 'rules:\n  - name: one\n    paths: []\n', 4, 'rules[0].paths', /needs at least one path/],
    ['rule without paths at all', 'rules:\n  - name: one\n', 3, 'rules[0].paths', /is missing/],
    ['no rule', 'ignore: []\n', 1, 'rules', /is missing/],
    ['relative path', 'rules:\n  - { name: one, paths: [etc] }\n', 3, 'rules[0].paths[0]', /absolute path/],
    ['two rules of one name', `${RULE}  - name: one\n    paths: [/usr]\n`, 5, 'rules[1].name', /name of another rule/],
    ['one path in two rules', `${RULE}  - name: two\n    paths: [/etc/]\n`, 6, 'rules[1].paths[0]', /rule 'one'/],
    ['unknown attribute', `${RULE}    attributes: [sise]\n`, 5, 'rules[0].attributes', /sise/],
    ['a time without a unit', `${RULE}watch: { quiet: 5 }\n`, 5, 'watch.quiet', /time with a unit/],
    ['broken YAML', `${RULE}    hooks: [alert\n`, 0, '', /./],
  ] as const)('%s', ([, yaml, line, key, message], { scratch }) => {
    const file = scratch.configure(yaml);
    const { status, stdout, stderr } = scratch.drive('config', 'check');
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
    const lines = stderr.split('\n').filter((text) => text.startsWith('driftline: '));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(line === 0 ? `${file}:` : `${file}:${line}: ${key}: `);
    expect(lines[0]).toMatch(message);
  });

  test('and several are several lines; init and watch start nothing', ({ scratch }) => {
    const file = scratch.configure(`${RULE}    sevrity: info\nhoks: {}\nwatch: { marks: all }\n`);
    for (const command of ['init', 'watch', 'check']) {
      const { status, stdout, stderr } = scratch.drive(command);
      expect({ command, status, stdout }).toEqual({ command, status: 78, stdout: '' });
      expect(stderr.split('\n').filter((text) => text.startsWith(`driftline: ${file}:`))).toHaveLength(3);
    }
    expect(existsSync(dirname(scratch.baseline))).toBe(false);
  });
});

describe('a path that others can bend is refused, and the component is named', () => {
  test.for([
    ['the file can be written by others', (file: string) => chmodSync(file, 0o646), 'driftline.yaml'],
    ['the file is owned by somebody else', (file: string) => chownSync(file, 65534, 0), 'driftline.yaml'],
    ['the directory can be written by its group', (file: string) => chmodSync(dirname(file), 0o775), ''],
  ] as const)('%s', ([, bend, name], { scratch }) => {
    const file = scratch.configure(RULE);
    bend(file);
    const { status, stderr } = scratch.drive('check');
    expect(status).toBe(78);
    expect(stderr).toContain(` ${join(scratch.base, name)} `);
  });

  test('also through a symlink', ({ scratch }) => {
    scratch.configure(RULE);
    const theirs = join(scratch.base, 'theirs');
    mkdirSync(theirs);
    writeFileSync(join(theirs, 'real.yaml'), RULE);
    chownSync(theirs, 65534, 65534);
    symlinkSync('theirs/real.yaml', join(scratch.base, 'link.yaml'));
    const { status, stderr } = run(['--config', join(scratch.base, 'link.yaml'), 'config', 'check']);
    expect(status).toBe(78);
    expect(stderr).toContain(`${theirs} is owned by uid 65534`);
  });

  test('hooks too: missing, not executable, owned by others', ({ scratch }) => {
    const program = join(scratch.base, 'hook');
    const check = (): string => {
      scratch.configure(`${RULE}    hooks: [mine]\nhooks: { mine: { run: [${program}] } }\n`);
      const { status, stderr } = scratch.drive('config', 'check');
      return `${status} ${stderr}`;
    };
    expect(check()).toMatch(/^78 driftline: \/\S+\.yaml:6: hooks\.mine\.run: .*not found/);
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o644 });
    expect(check()).toMatch(/^78 .*not executable/);
    chmodSync(program, 0o755);
    expect(check()).toMatch(/^0 /);
    chownSync(program, 65534, 65534);
    expect(check()).toMatch(/^78 .*owned by uid 65534/);
  });
});

describe('what every run would be refused for, with file, line and key', () => {
  const configure = (scratch: Scratch, hook: readonly string[]): string =>
    scratch.configure(`${RULE}    hooks: [it]\nhooks:\n  it:\n    run: ['true']\n${hook.join('\n')}\n`);

  test.for([
    [
      'a credential that is not there',
      ['    credentials:', '      KEY: $/gone'],
      10,
      'credentials.KEY',
      /gone: not found/,
    ],
    ['one that others can read', ['    credentials:', '      KEY: $/open'], 10, 'credentials.KEY', /others may read/],
    [
      'one that the user of the hook cannot read',
      ['    user: mail', '    credentials: { KEY: $/key }'],
      10,
      'credentials.KEY',
      /cannot read it/,
    ],
    ['a user that there is not', ['    user: no-such-user'], 9, 'user', /there is no user no-such-user/],
    [
      'another program than the pinned one',
      [`    digest: ${'a'.repeat(64)}`],
      9,
      'digest',
      /not the one that was pinned/,
    ],
  ] as const)('%s', ([, hook, line, key, message], { scratch }) => {
    writeFileSync(join(scratch.base, 'open'), 'x', { mode: 0o644 });
    writeFileSync(join(scratch.base, 'key'), 'x', { mode: 0o400 });
    const file = configure(
      scratch,
      hook.map((text) => text.replace('$', scratch.base)),
    );
    const { status, stdout, stderr } = scratch.drive('config', 'check');
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toContain(`driftline: ${file}:${line}: hooks.it.${key}: `);
    expect(scratch.drive('doctor').stdout).toContain(`${file}:${line}: hooks.it.${key}: `);
  });

  test('and nothing when all is right', ({ scratch }) => {
    writeFileSync(join(scratch.base, 'key'), 'x', { mode: 0o400 });
    configure(scratch, ['    user: root', `    credentials: { KEY: ${scratch.base}/key }`]);
    expect(scratch.drive('config', 'check')).toMatchObject({ status: 0, stderr: '' });
  });
});

test('fine configurations: the sample, YAML and JSON', ({ scratch }) => {
  const sample = readFileSync(join(import.meta.dirname, '../../config/driftline.yaml'), 'utf8');
  const file = join(scratch.base, 'sample.yaml');
  writeFileSync(file, sample);
  expect(run(['--config', file, 'config', 'check'])).toMatchObject({ status: 0 });
  const json = join(scratch.base, 'driftline.json');
  writeFileSync(json, JSON.stringify({ rules: [{ name: 'one', paths: ['/etc'] }] }));
  const { status, stdout } = run(['--config', 'driftline.json', 'config', 'check', '--json'], { cwd: scratch.base });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ v: 1, file: json, rules: 1, hooks: 0, warnings: [] });
});

test('the schema is JSON Schema and describes every key', () => {
  const { status, stdout } = run(['config', 'schema']);
  expect(status).toBe(0);
  const schema = JSON.parse(stdout) as { $schema: string; properties: Record<string, { description?: string }> };
  expect(schema.$schema).toContain('json-schema.org');
  expect(Object.keys(schema.properties).sort()).toEqual([
    'attributes',
    'baseline',
    'hooks',
    'ignore',
    'rules',
    'watch',
  ]);
  expect(Object.values(schema.properties).filter(({ description }) => !description)).toEqual([]);
});
