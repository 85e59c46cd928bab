import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadSettings } from '../../../src/config/load.ts';
import { pathFromText, ROOT } from '../../../src/domain/path.ts';
import { failureOf, load, put, temporaryDirectory } from './fixture.ts';

const MINIMAL = 'rules: [{ name: system, paths: [/etc] }]\n';

test('a minimal configuration gets every default', async () => {
  const settings = await load(MINIMAL);
  expect(settings).toMatchObject({
    baseline: '/var/lib/driftline/baseline.db',
    watch: {
      marks: 'auto',
      who: 'map',
      quietMs: 200,
      deadlineMs: 5000,
      sweep: {
        criticalMs: 300_000,
        normalMs: 86_400_000,
        content: { criticalMs: undefined, normalMs: undefined },
        bytesPerSecond: 100_000_000,
      },
      canaryMs: 60_000,
    },
    ignore: [],
    hooks: [],
    warnings: [],
  });
  expect(settings.rules).toMatchObject([
    {
      name: 'system',
      paths: ['/etc'],
      exclude: [],
      severity: 'normal',
      onDrift: 'report',
      hooks: [],
      oneFileSystem: false,
    },
  ]);
  expect([...(settings.rules[0]?.attributes.names ?? [])]).toEqual(
    'type mode uid gid size mtime digest target rdev xattrs flags'.split(' '),
  );
});

test('JSON is read too, tabs and all', async () => {
  const text = '{\n\t"baseline": "/srv/b.db",\n\t"rules": [\n\t\t{"name": "a", "paths": ["/srv/"]}\n\t]\n}\n';
  expect(await load(text, {}, 'driftline.json')).toMatchObject({ baseline: '/srv/b.db', rules: [{ paths: ['/srv'] }] });
});

test('a file that was named and is not there', async () => {
  const directory = temporaryDirectory();
  const missing = await failureOf(loadSettings({ cwd: ROOT, hooksDir: directory, file: join(directory, 'x.yaml') }));
  expect(missing.message).toBe(`there is no configuration ${directory}/x.yaml`);
});

test('without --config the directory is searched in order, and what is not used is said', async () => {
  const directory = temporaryDirectory();
  const options = { cwd: ROOT, hooksDir: directory, directory };
  const nothing = await failureOf(loadSettings(options));
  expect(nothing.message).toBe(
    `no configuration: looked at ${['yaml', 'yml', 'json'].map((end) => `${directory}/driftline.${end}`).join(', ')}`,
  );
  put(join(directory, 'driftline.json'), JSON.stringify({ rules: [{ name: 'json', paths: ['/etc'] }] }));
  expect((await loadSettings(options)).rules[0]?.name).toBe('json');
  put(join(directory, 'driftline.yaml'), MINIMAL);
  const both = await loadSettings(options);
  expect(both.file).toBe(`${directory}/driftline.yaml`);
  expect(both.warnings).toEqual([
    `${directory}/driftline.json is not used, because ${directory}/driftline.yaml exists`,
  ]);
});

test('--config is relative to where the command was called', async () => {
  const directory = join(temporaryDirectory(), 'größe');
  put(join(directory, 'mine.yml'), MINIMAL);
  expect((await loadSettings({ file: 'mine.yml', cwd: pathFromText(directory), hooksDir: directory })).file).toBe(
    `${directory}/mine.yml`,
  );
});

test('a directory full of traps: nothing in it is executed', async () => {
  const directory = temporaryDirectory();
  const sprung = join(directory, 'sprung');
  const trap = `require('node:fs').appendFileSync(${JSON.stringify(sprung)}, __filename + '\\n'); module.exports = {};`;
  for (const name of [
    '.config/config.js',
    '.config/config.cjs',
    '.driftlinerc.js',
    '.driftlinerc.cjs',
    'driftline.config.js',
  ]) {
    put(join(directory, name), trap);
  }
  put(join(directory, 'node_modules/yaml/index.js'), trap);
  put(join(directory, 'package.json'), '{"driftline": {"rules": [{"name": "trap", "paths": ["/"]}]}}');
  const hooksDir = directory;

  // The traps are armed: cosmiconfig itself walks into them.
  const module = require.resolve('cosmiconfig');
  execFileSync(process.execPath, ['-e', `require(${JSON.stringify(module)}).cosmiconfig('driftline')`], {
    cwd: directory,
  });
  expect(existsSync(sprung)).toBe(true);
  execFileSync('rm', [sprung]);

  const before = process.cwd();
  onTestFinished(() => process.chdir(before));
  process.chdir(directory);
  await failureOf(loadSettings({ cwd: pathFromText(directory), hooksDir, directory }));
  const file = put(join(directory, 'good.yaml'), MINIMAL);
  process.chdir(directory);
  expect((await loadSettings({ file, cwd: pathFromText(directory), hooksDir })).rules[0]?.name).toBe('system');
  expect(process.cwd()).toBe('/');
  expect(existsSync(sprung)).toBe(false);
});

test('only data is read: no script, no import, whatever --config names', async () => {
  const directory = temporaryDirectory();
  const sprung = join(directory, 'sprung');
  const script = put(
    join(directory, 'driftline.js'),
    `require('node:fs').writeFileSync(${JSON.stringify(sprung)}, '')`,
  );
  const message = (file: string): Promise<string> =>
    failureOf(loadSettings({ file, cwd: ROOT, hooksDir: directory })).then((error) => error.message);
  expect(await message(script)).toBe(`${script}: must end in .yaml, .yml, .json`);
  const importing = put(join(directory, 'i.yaml'), `$import: ./driftline.js\n${MINIMAL}`);
  expect(await message(importing)).toBe(`${importing}:1: $import: is not a key that exists here`);
  expect(existsSync(sprung)).toBe(false);
});

test('an untrusted, oversized, special or empty file is refused by name', async () => {
  const directory = temporaryDirectory();
  const file = put(join(directory, 'driftline.yaml'), MINIMAL);
  const message = (): Promise<string> =>
    failureOf(loadSettings({ file, cwd: ROOT, hooksDir: directory })).then((error) => error.message);

  chmodSync(file, 0o664);
  expect(await message()).toBe(`configuration ${file}: ${file} can be written by others (mode 0664, uid 0)`);
  chmodSync(file, 0o644);
  put(file, '#'.repeat(1024 * 1024 + 1));
  expect(await message()).toBe(`${file}: is larger than 1048576 bytes`);
  put(file, '# nothing\n');
  expect(await message()).toBe(`${file}:1: must be a map of keys, not nothing`);
  put(file, '');
  expect(await message()).toBe(`${file}: holds no configuration`);
  execFileSync('rm', [file]);
  execFileSync('/bin/sh', ['-c', 'mkfifo -m 600 "$1"', 'sh', file]);
  expect(await message()).toBe(`${file}: is not a regular file`);
  execFileSync('rm', [file]);
  mkdirSync(file);
  expect(await message()).toBe(`${file}: is not a regular file`);
  execFileSync('rmdir', [file]);
  symlinkSync(file, file);
  expect(await message()).toBe(`configuration ${file}: too many symlinks at ${file}`);
});
