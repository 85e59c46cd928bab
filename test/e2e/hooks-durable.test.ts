// What hooks have to deliver outlives a full disk and a reboot.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import type { Daemon, Fields } from './daemon.ts';
import { Site } from './site.ts';

let site: Site;

beforeEach((context) => needCapabilities(context));
afterEach(async () => await site?.[Symbol.asyncDispose]());

const aside = (name: string): string => join(site.scratch.dir, name);
const got = (name: string): string => (existsSync(aside(name)) ? readFileSync(aside(name), 'utf8') : '');
const runs = (): Fields[] => site.journal().filter(({ type }) => type === 'run');

test('a full disk: it is said, and everything is delivered when there is room again', async () => {
  site = new Site();
  const state = site.scratch.tmpfs('small');
  spawnSync('mount', ['-o', 'remount,size=4m', state]);
  // Of each run some 60 kB are kept in the journal.
  const script = 'cat >>"$DRIFTLINE_FILE"; head -c 60000 /dev/zero | tr "\\0" x';
  site.configure({
    rule: { hooks: ['it'], onDrift: 'accept' },
    hooks: { it: { run: ['sh', '-c', script], with: { file: aside('got') }, quiet: '20ms', deadline: '500ms' } },
  });
  site.stateIn(state);
  const daemon = await site.begin();
  const names: string[] = [];
  const change = (): string => {
    const name = site.path(`file-${names.length}`);
    writeFileSync(name, name);
    names.push(name);
    return name;
  };
  while (!daemon.isOver && names.length < 500) {
    const name = change();
    await Promise.race([daemon.ended, delivered(daemon, name)]);
  }
  expect(await daemon.ended).toMatchObject({ code: 74 });
  expect(daemon.stderr()).toMatch(/^driftline: .*(full|space)/im);
  change();

  spawnSync('mount', ['-o', 'remount,size=256m', state]);
  const again = await site.start();
  change();
  await again.until('all of it', () => names.every((name) => got('got').includes(`${name}\0`)));
  await again.until('its records', () => (site.json(['status'])['hooks'] as Fields[])[0]?.['pending'] === 0);
  expect(site.driftline('journal', '--verify').status).toBe(0);
  // What was delivered twice was delivered under the same key.
  const keys = runs().filter(({ outcome }) => outcome === 'ok');
  expect(new Set(keys.map(({ key }) => key)).size).toBe(keys.length);
  expect(site.check()).toMatchObject({ exitCode: 0 });
});

/** Or the watch has ended. */
async function delivered(daemon: Daemon, name: string): Promise<void> {
  await daemon.until(name, () => daemon.isOver || got('got').includes(`${name}\0`)).catch(() => undefined);
}

test('a reboot: another mount of the files, a copy of the state, and every batch under its key', async () => {
  site = new Site({ filesystem: 'ext4' });
  const timing = { quiet: '20ms', deadline: '500ms' };
  const tell = 'echo "$DRIFTLINE_HOOK $DRIFTLINE_KEY" >>"$DRIFTLINE_FILE"; cat >>"$DRIFTLINE_FILE.paths"';
  const make = (script: string, name: string, more: Fields): Fields => ({
    run: ['sh', '-c', script],
    with: { file: aside(name) },
    ...timing,
    ...more,
  });
  const configure = (patience: Fields): void =>
    site.configure({
      rule: { hooks: ['running', 'waiting', 'given-up'] },
      hooks: {
        running: make(`${tell}; [ -e "$DRIFTLINE_FILE.go" ] || exec sleep 1000`, 'running', {}),
        waiting: make(tell, 'waiting', patience),
        'given-up': make(`${tell}; [ -e "$DRIFTLINE_FILE.go" ]`, 'given-up', { retry: { attempts: 1 } }),
      },
    });
  configure({ quiet: '1h', deadline: '1h' });
  const daemon = await site.begin();
  site.shell('ln -s x first');
  await daemon.said(/alert: hook given-up: a batch of 1 paths was given up/);
  await daemon.until('the run', () => got('running') !== '');
  await daemon.stop('SIGKILL');
  site.shell('ln -s x while-down');

  execFileSync('cp', ['-a', site.baseline.replace(/\/[^/]*$/, ''), aside('copy')]);
  remount(site.mount);
  writeFileSync(aside('running.go'), '');
  configure({});
  site.stateIn(aside('copy'));
  const again = await site.start();
  const paths = ['first', 'while-down'].map((name) => `${site.path(name)}\0`);
  await again.until('the rest', () => paths.every((path) => got('waiting.paths').includes(path)));
  await again.until('all of the other', () => paths.every((path) => got('running.paths').includes(path)));
  const keys = got('running').trimEnd().split('\n');
  expect(keys[1]).toBe(keys[0]);
  expect(new Set(keys).size).toBe(2);
  await again.until('the second to be given up', () => got('given-up').split('\n').length === 3);
  await again.said(/alert: hook given-up/);
  writeFileSync(aside('given-up.go'), '');
  expect(site.driftline('hook', 'run', 'given-up', '--pending').status).toBe(0);
  await again.until('what was given up', () => got('given-up').trimEnd().split('\n').length === 4);
  expect(new Set(got('given-up').trimEnd().split('\n')).size).toBe(2);
  expect(site.driftline('journal', '--verify').status).toBe(0);
});

/** Of a filesystem on a loop device. */
function remount(at: string): void {
  const source = execFileSync('findmnt', ['-no', 'SOURCE', at], { encoding: 'utf8' }).trim();
  const image = execFileSync('losetup', ['-nO', 'BACK-FILE', source], { encoding: 'utf8' }).trim();
  execFileSync('umount', [at]);
  execFileSync('mount', ['-o', 'loop', image, at]);
}
