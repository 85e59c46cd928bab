// The shipped script called by the real logrotate; a recorder stands in the place of driftline and prints its arguments.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const HOOK = join(import.meta.dirname, '../../hooks/logrotate-postrotate');

let base: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'driftline-rotate-'));
  // logrotate refuses directories that others may write to, and needs a configuration of root's.
  chmodSync(base, 0o755);
  mkdirSync(join(base, 'log'), { mode: 0o755 });
  mkdirSync(join(base, 'o ld'), { mode: 0o755 });
  record('exit 0');
  const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
  env = { PATH, DRIFTLINE: join(base, 'recorder'), DRIFTLINE_RUNTIME: join(base, 'run') };
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function record(end: string): void {
  const body = `#!/bin/sh\nprintf '%s\\0' "$@" >>'${base}/calls'\n${end}\n`;
  writeFileSync(join(base, 'recorder'), body, { mode: 0o755 });
}

/** The arguments of all calls since the last time, bytes as latin1; paths without the base. */
function calls(): string[] {
  const file = join(base, 'calls');
  if (!existsSync(file)) return [];
  const words = readFileSync(file, 'latin1').split('\0').slice(0, -1);
  rmSync(file);
  return words.map((word) => word.replace(`${base}/`, ''));
}

function log(name: string, text = 'line\n'): void {
  writeFileSync(Buffer.from(`${base}/log/${name}`, 'latin1'), text);
}

function rotate(
  options: string,
  scripts: string,
  files = `${base}/log/*.log`,
): { status: number | null; text: string } {
  writeFileSync(join(base, 'conf'), `${files} {\n rotate 2\n missingok\n ${options}\n ${scripts}\n}\n`, {
    mode: 0o644,
  });
  const ran = spawnSync('logrotate', ['-f', '-s', join(base, 'state'), join(base, 'conf')], {
    env,
    encoding: 'latin1',
  });
  return { status: ran.status, text: ran.stdout + ran.stderr };
}

const LAST = `lastaction\n ${HOOK} "$1"\n endscript`;

test.each(['create', 'copytruncate', 'create\n sharedscripts', 'copytruncate\n compress'])('%s', (options) => {
  const ending = options.includes('compress') ? '.gz' : '';
  log('a.log');
  log('b.log');
  expect(rotate(options, LAST)).toEqual({ status: 0, text: '' });
  const first = ['log/a.log', `log/a.log.1${ending}`, 'log/b.log', `log/b.log.1${ending}`];
  expect(calls()).toEqual(['accept', '--', ...first]);
  log('a.log', 'more\n');
  expect(rotate(options, LAST).status).toBe(0);
  expect(calls()).toContain(`log/a.log.2${ending}`);
});

test('neighbours of a log are none of the rotation', () => {
  log('a.log');
  for (const name of ['a.log.conf', 'a.logger', 'audit', 'a-notes.log.bak']) log(name);
  expect(rotate('create', LAST, `${base}/log/a.log`).status).toBe(0);
  expect(calls()).toEqual(['accept', '--', 'log/a.log', 'log/a.log.1']);
});

test('names with spaces, quotes of logrotate and shell characters', () => {
  const names = ['my log.log', '$(touch pwn).log', 'bad\xff.log', '-rf.log', "it's.log"];
  for (const name of names) log(name);
  writeFileSync(join(base, 'o ld/x'), 'line\n');
  expect(rotate('create', LAST, `${base}/log/*.log "${base}/o ld/x"`).status).toBe(0);
  const expected = names.flatMap((name) => [`log/${name}`, `log/${name}.1`]);
  expect(calls().slice(2).sort()).toEqual([...expected, 'o ld/x', 'o ld/x.1'].sort());
  expect(existsSync('/pwn')).toBe(false);
});

test('in postrotate, with the log and its new name as arguments', () => {
  log('my log.log');
  expect(rotate('create', `postrotate\n ${HOOK} "$@"\n endscript`).status).toBe(0);
  expect(calls()).toEqual(['accept', '--', 'log/my log.log', 'log/my log.log.1']);
});

test('with dateext, firstaction remembers the log that is removed', () => {
  const dated = (day: string): string => `a.log-202601${day}`;
  for (const name of ['a.log', dated('01'), dated('02')]) log(name);
  expect(rotate('create\n dateext', `firstaction\n ${HOOK} --before "$1"\n endscript\n ${LAST}`).status).toBe(0);
  expect(existsSync(join(base, 'log', dated('01')))).toBe(false);
  const accepted = calls();
  expect(accepted).toEqual(expect.arrayContaining(['log/a.log', `log/${dated('01')}`, `log/${dated('02')}`]));
  expect(accepted).toHaveLength(2 + 4);
});

test('extension and olddir', () => {
  log('a.log');
  log('a-b.log');
  mkdirSync(join(base, 'old'), { mode: 0o755 });
  const last = `lastaction\n ${HOOK} --olddir ${base}/old "$1"\n endscript`;
  const options = `create\n extension .log\n olddir ${base}/old`;
  expect(rotate(options, last, `${base}/log/a.log`)).toEqual({ status: 0, text: '' });
  expect(calls()).toEqual(['accept', '--', 'log/a.log', 'old/a.1.log']);
});

test('options go to driftline', () => {
  log('a.log');
  const last = `lastaction\n ${HOOK} --config '/etc/d l.yaml' --baseline /b.db "$1"\n endscript`;
  expect(rotate('create', last).status).toBe(0);
  expect(calls().slice(0, 6)).toEqual(['accept', '--config', '/etc/d l.yaml', '--baseline', '/b.db', '--']);
});

test('a driftline that fails is a warning, not a failed rotation', () => {
  record('echo "driftline: no baseline" >&2; exit 65');
  log('a.log');
  const { status, text } = rotate('create', LAST);
  expect(status).toBe(0);
  expect(text).toBe(
    'driftline: no baseline\n' +
      'logrotate-postrotate: driftline did not accept the rotation; it stays reported as drift\n',
  );
});

test.each([[[]], [['--config']], [['--nonsense', 'x']]])('wrong use: %j', (args) => {
  expect(spawnSync(HOOK, args, { env }).status).toBe(64);
});
