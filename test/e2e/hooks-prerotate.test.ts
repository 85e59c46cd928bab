// logrotate-prerotate and logrotate-postrotate with the real logrotate and a real baseline: what comes to light again is
// accepted, whatever else happened stays drift.
import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM } from './program.ts';
import { environmentOf, HOOKS, isInstalled, Place, system } from './shipped.ts';

const NAMES = ['a.log', 'my log.log', '$(touch pwn).log', "it's.log", '-rf.log'];
let place: Place;

beforeEach(() => {
  place = new Place();
  chmodSync(place.tree, 0o755);
  const node = `exec ${process.execPath} ${PROGRAM}`;
  const config = place.aside('driftline.yaml');
  writeFileSync(place.aside('driftline'), `#!/bin/sh\n${node} "$@"\n`, { mode: 0o755 });
  writeFileSync(place.aside('with-config'), `#!/bin/sh\n${node} --config ${config} "$@"\n`, { mode: 0o755 });
  const rule = `{ name: logs, paths: ['${place.tree}'], attributes: growing }`;
  writeFileSync(config, `baseline: ${place.aside('state/b.db')}\nrules: [${rule}]\n`);
});
afterEach(() => place[Symbol.dispose]());

function begin(...names: readonly string[]): void {
  for (const name of names) place.write(name, `${name} 1\n`.repeat(100));
  system(place.aside('with-config'), ['init']);
}

/** Kind and name. */
function drift(): string[] {
  const ran = system('sh', ['-c', '"$1" check --json || test $? -le 15', 'sh', place.aside('with-config')]);
  const { drift: found } = JSON.parse(ran) as { drift: { kind: string; path: string; from?: string }[] };
  const name = (path = ''): string => path.slice(place.tree.length + 1);
  return found
    .map(({ kind, path, from }) => `${kind} ${from === undefined ? '' : `${name(from)} -> `}${name(path)}`)
    .sort();
}

/** `meanwhile`: shell commands between the notes and the acceptance. Returns what was said. */
function rotate(options: string, meanwhile = 'true'): string {
  const script = (name: string): string => `${HOOKS}/${name} --config ${place.aside('driftline.yaml')} "$1"`;
  const scripts = `firstaction\n ${script('logrotate-prerotate')}\n endscript\n lastaction\n cd ${place.tree}\n ${meanwhile}\n ${script('logrotate-postrotate')}\n endscript`;
  writeFileSync(place.aside('conf'), `${place.tree}/*.log {\n rotate 2\n missingok\n ${options}\n ${scripts}\n}\n`, {
    mode: 0o644,
  });
  const ran = spawnSync('logrotate', ['-f', '-s', place.aside('state-of-logrotate'), place.aside('conf')], {
    env: { ...environmentOf({ RUNTIME: place.aside('run') }), DRIFTLINE: place.aside('driftline') },
    encoding: 'utf8',
  });
  expect(ran.status, ran.stderr).toBe(0);
  return ran.stderr;
}

const append = (...names: readonly string[]): void => {
  for (const name of names) appendFileSync(`${place.tree}/${name}`, `${name} ${Math.random()}\n`);
};

describe.skipIf(!isInstalled('logrotate'))('a rotation (needs logrotate)', () => {
  test.each([
    ['create', 2],
    ['copytruncate\n compress', 2],
    ['create\n compress\n delaycompress', 2],
    ['create\n compress\n compresscmd /usr/bin/xz\n compressext .xz', 1],
    ['copytruncate\n dateext', 1],
  ])('%s: no drift is left', (options, rounds) => {
    begin('a.log');
    for (let round = 0; round < rounds; round += 1) {
      append('a.log');
      expect(rotate(options)).toBe('');
    }
    expect(drift()).toEqual([]);
    expect(readdirSync(place.tree).length).toBe(1 + Math.min(rounds, 2));
  });

  test('names that break others', () => {
    begin(...NAMES);
    append(...NAMES);
    expect(rotate('create')).toBe('');
    expect(drift()).toEqual([]);
    expect(existsSync('/pwn') || existsSync(`${place.tree}/pwn`)).toBe(false);
  });

  test('what is done to a log meanwhile stays drift; the others are accepted', () => {
    const meanwhile = [
      'sed -i 1d cut.log.1',
      'echo evil >>grown.log.2',
      'rm gone.log.1',
      'chmod 666 open.log.1',
      'chmod 666 new.log',
      'echo evil >ok.log.evil',
      'rm link.log.1; ln -s ok.log.1 link.log.1',
    ];
    const names = ['cut', 'gone', 'grown', 'link', 'new', 'ok', 'open'].map((name) => `${name}.log`);
    begin(...names);
    expect(rotate('create')).toBe('');
    append(...names);
    expect(drift()).toEqual([]);
    const said = rotate('create', meanwhile.join('\n'));
    expect(said).toContain('not what a rotation makes');
    expect(said).toContain('gone.log held has not come to light again');
    const found = drift();
    const files = ['cut.log.1', 'grown.log.2', 'link.log.1', 'new.log', 'ok.log.evil', 'open.log.1'];
    expect(files.filter((file) => !found.some((line) => line.endsWith(file) || line.includes(`${file}.1`)))).toEqual(
      [],
    );
    expect(found.filter((line) => line.includes(' ok.log') && !line.includes('evil'))).toEqual([]);
  });

  test('what was drift before stays drift under its new name', () => {
    begin('a.log', 'b.log');
    system('sed', ['-i', '3d', `${place.tree}/a.log`]);
    append('b.log');
    expect(drift()).toEqual(['changed a.log']);
    expect(rotate('create')).toContain('not what a rotation makes');
    expect(drift().filter((line) => line.includes('a.log.1'))).not.toEqual([]);
    expect(drift().filter((line) => line.includes('b.log'))).toEqual([]);
  });

  test('notes are used once, and where no rule is, nothing is said', () => {
    begin('a.log');
    rotate('create');
    expect(readdirSync(place.aside('run'))).toEqual([]);
    mkdirSync(place.aside('elsewhere'));
    const hook = (name: string) =>
      spawnSync(`${HOOKS}/${name}`, ['--config', place.aside('driftline.yaml'), place.aside('elsewhere/x.log')], {
        env: { ...environmentOf({ RUNTIME: place.aside('run') }), DRIFTLINE: place.aside('driftline') },
        encoding: 'utf8',
      });
    expect(hook('logrotate-prerotate')).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(place.aside('conf'), 'utf8')).toContain('firstaction');
  });
});
