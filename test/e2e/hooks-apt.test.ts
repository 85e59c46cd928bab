// apt-pre-install and apt-post-invoke with the real apt and a small package of our own, removed again at the end.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM } from './program.ts';
import { isInstalled, Place, runHook, system } from './shipped.ts';

const HOOKS = join(import.meta.dirname, '../../hooks');
const SHIPPED = join(import.meta.dirname, '../../packaging/apt/80driftline');
const NAME = 'driftline-hook-test';
const canRun = process.getuid?.() === 0 && isInstalled('apt-get', 'dpkg-deb');

/** dpkg(1) takes no newline in a name. */
const NAMES = [
  '-rf',
  '$(touch pwn)',
  ' sp  ace',
  '"quotes\'',
  'escape\x1b[31m',
  'bad\xff\xfe',
  'n'.repeat(200),
  'plain',
];

let place: Place;
/** What the package installs, and the rule covers. */
let root: string;
let version = 0;

/** Builds the package with these files (latin1 names), and installs it as apt does with the shipped configuration. */
function install(files: Readonly<Record<string, string>>, scripts: Readonly<Record<string, string>> = {}): string {
  version += 1;
  const stage = place.aside(`stage-${version}`);
  for (const [name, text] of Object.entries(files)) {
    const file = Buffer.from(`${stage}${root}/${name}`, 'latin1');
    mkdirSync(dirname(`${stage}${root}/${name}`), { recursive: true });
    writeFileSync(file, text);
  }
  system('ln', ['-s', 'plain', `${stage}${root}/link`]);
  system('ln', [`${stage}${root}/plain`, `${stage}${root}/hard`]);
  system('chmod', ['4750', `${stage}${root}/plain`]);
  mkdirSync(`${stage}/DEBIAN`);
  const control = `Package: ${NAME}\nVersion: ${version}\nArchitecture: all\nMaintainer: test <t@example.org>\nDescription: test\n`;
  writeFileSync(`${stage}/DEBIAN/control`, control);
  writeFileSync(`${stage}/DEBIAN/conffiles`, `${root}/plain.conf\n`);
  for (const [name, text] of Object.entries(scripts)) writeFileSync(`${stage}/DEBIAN/${name}`, text, { mode: 0o755 });
  system('dpkg-deb', ['--root-owner-group', '--build', stage, place.aside(`v${version}.deb`)]);
  return apt('install', place.aside(`v${version}.deb`));
}

/** What it printed. */
function apt(...args: string[]): string {
  const config = place.aside('apt.conf');
  writeFileSync(config, readFileSync(SHIPPED, 'utf8').replaceAll('/usr/lib/driftline/hooks', HOOKS));
  return system(
    'sh',
    ['-c', 'apt-get -y -q -o DPkg::Lock::Timeout=300 -o DPkg::Options::=--force-confold "$@" 2>&1', 'sh', ...args],
    {
      APT_CONFIG: config,
      DEBIAN_FRONTEND: 'noninteractive',
      DRIFTLINE_NODE: process.execPath,
      DRIFTLINE_PROGRAM: place.aside('driftline'),
      DRIFTLINE_CONFIG: place.aside('driftline.yaml'),
      DRIFTLINE_RUNTIME: place.aside('run'),
    },
  );
}

/** What has drifted: kind and name below the root. */
function drift(): string[] {
  const ran = system('sh', ['-c', '"$1" check --json || test $? -le 15', 'sh', place.aside('with-config')]);
  const { drift: found } = JSON.parse(ran) as { drift: { kind: string; path: string }[] };
  return found.map(({ kind, path }) => `${kind} ${path.slice(root.length + 1)}`).sort();
}

const contents = (text: string): Record<string, string> => ({
  ...Object.fromEntries(
    NAMES.flatMap((name) => [
      [name, text],
      [`sub/${name}`, text],
    ]),
  ),
  'plain.conf': text,
});

describe.skipIf(!canRun)('apt (needs root and dpkg)', () => {
  beforeAll(() => {
    place = new Place();
    root = mkdtempSync('/opt/driftline-hook-');
    const node = `exec ${process.execPath} ${PROGRAM}`;
    const config = place.aside('driftline.yaml');
    writeFileSync(place.aside('driftline'), `#!/bin/sh\n${node} "$@"\n`, { mode: 0o755 });
    writeFileSync(place.aside('with-config'), `#!/bin/sh\n${node} --config ${config} "$@"\n`, { mode: 0o755 });
    writeFileSync(config, `baseline: ${place.aside('state/b.db')}\nrules: [{ name: opt, paths: ['${root}'] }]\n`);
    system(place.aside('with-config'), ['init']);
  });
  afterAll(() => {
    system('dpkg', ['--purge', '--force-all', NAME]);
    rmSync(root, { recursive: true, force: true });
    place[Symbol.dispose]();
  });

  test('what a package holds is accepted: names, modes, links, directories', () => {
    expect(install(contents('one'))).toMatch(/apt-post-invoke: \d+ drifts are as the packages have them: accepted/);
    expect(drift()).toEqual([]);
    expect(system('find', [root, '-name', 'plain', '-perm', '4750'])).not.toBe('');
  });

  test('what was tampered with meanwhile, and what scripts make, stays drift', () => {
    const { plain: _plain, ...rest } = contents('two');
    delete rest['sub/ sp  ace'];
    writeFileSync(`${root}/plain.conf`, 'changed by hand');
    const postinst = `#!/bin/sh\necho evil >>'${root}/sub/plain'; chmod 4755 '${root}/-rf'; echo x >${root}/made\nmkdir ${root}/new/more\n`;
    const files = { ...rest, plain: 'two', 'new/a': 'a', 'fine/b': 'b' };
    const said = install(files, { postinst });
    expect(said).toMatch(/accepted/);
    const inNew = ['added new', 'added new/more'];
    expect(drift()).toEqual(['added made', ...inNew, 'changed -rf', 'changed plain.conf', 'changed sub/plain'].sort());
  });

  test('a package that goes takes its files along', () => {
    system(place.aside('with-config'), ['accept', '--all']);
    apt('remove', NAME);
    expect(drift()).toEqual([]);
  });
});

test('notes in a directory that others may write to are not used', () => {
  const here = new Place();
  try {
    mkdirSync(here.aside('run'), { mode: 0o777 });
    system('chmod', ['777', here.aside('run')]);
    for (const hook of ['apt-pre-install', 'apt-post-invoke']) {
      const ran = runHook(hook, '', { RUNTIME: here.aside('run'), PROGRAM: 'false' });
      expect(ran).toMatchObject({ status: 0, stderr: expect.stringContaining('could be written by others') });
    }
  } finally {
    here[Symbol.dispose]();
  }
});

test('a package that cannot be read does not stop apt', () => {
  const here = new Place();
  try {
    const input = `VERSION 3\nAPT::Architecture=amd64\n\nx - - none < 1 all none /nonexistent.deb\n`;
    const ran = runHook('apt-pre-install', input, { RUNTIME: here.aside('run') });
    expect(ran).toMatchObject({ status: 0, stderr: expect.stringContaining('reported as drift') });
  } finally {
    here[Symbol.dispose]();
  }
});
