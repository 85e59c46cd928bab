// What goes wrong around a watch: lost events, killed watches, mounts that come and go, full disks, missing rights.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import type { Fields } from './daemon.ts';
import { Site } from './site.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const QUEUE = '/proc/sys/fs/fanotify/max_queued_events';

let site: Site;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

const ofType = (type: string): Fields[] => site.journal().filter((record) => record['type'] === type);

test('an overflow of the queue: recorded, everything compared again, the final state exact', async () => {
  site.shell('for i in {1..2500}; do echo $i >old-$i; done');
  site.init();
  const daemon = site.spawn();
  const before = readFileSync(QUEUE, 'utf8');
  // A group takes its limit when it is made.
  writeFileSync(QUEUE, '256');
  try {
    await daemon.ready();
  } finally {
    writeFileSync(QUEUE, before);
  }
  daemon.signal('SIGSTOP');
  site.shell('for i in {1..2500}; do echo changed >old-$i; echo $i >new-$i; done; rm old-2500; mv old-2499 moved');
  daemon.signal('SIGCONT');
  await daemon.said(/the kernel queue overflowed/);
  await daemon.until('all drift', () => new Set(daemon.records().map(({ path }) => path)).size >= 5000);
  await daemon.settled();
  expect(site.json(['status'])).toMatchObject({
    openDrift: { added: 2501, removed: 2, changed: 2498, moved: 0 },
    coverage: [{ gaps: expect.any(Number) }],
  });
  expect(site.check()).toMatchObject({ added: 2501, removed: 2, changed: 2498, moved: 0 });
  expect(ofType('overflow').length).toBeGreaterThan(0);
  expect(ofType('gap').filter(({ cause }) => cause === 'overflow')).toHaveLength(ofType('overflow').length);
  expect(ofType('sweep').map(({ tier }) => tier)).toContain('rescan');
  const [coverage] = site.json(['status'])['coverage'] as Fields[];
  expect(coverage?.['gaps']).toBeGreaterThan(0);
});

test('kill -9 between a change and its record, and changes until the restart', async () => {
  site.shell('for i in {1..50}; do echo $i >$i; done');
  const daemon = await site.begin();
  site.shell('echo 1 >>1');
  await daemon.settled();
  site.shell('for i in {2..20}; do echo x >>$i; done');
  await daemon.stop('SIGKILL');
  site.shell('for i in {21..40}; do rm $i; done');
  const again = await site.start();
  expect(site.json(['status'])).toMatchObject({ openDrift: { added: 0, removed: 20, changed: 20, moved: 0 } });
  expect(again.stderr()).not.toMatch(/driftline: /);
  expect(site.driftline('journal', '--verify').status).toBe(0);
});

test('a mount over a watched path is told, and what it hides is drift; until it goes', async () => {
  site.shell('mkdir sub; echo 1 >sub/hidden');
  const daemon = await site.begin();
  site.shell('mount -t tmpfs driftline-test sub');
  await daemon.said(/coverage: .*\/root\/sub is covered/);
  const covered = await daemon.settled();
  expect(briefs(covered, site.root)).toEqual(['changed sub: mode', 'removed sub/hidden']);
  expect(ofType('coverage')).toMatchObject([{ path: site.path('sub'), state: 'covered' }]);
  site.shell('echo 1 >sub/new');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added sub/new']);
  site.shell('umount sub');
  await daemon.said(/coverage: .*\/root\/sub is watched/);
  const uncovered = briefs(await daemon.settled(), site.root);
  expect(uncovered).toEqual(['resolved sub', 'resolved sub/hidden', 'resolved sub/new']);
  expect(site.check()).toMatchObject({ exitCode: 0 });
});

test('a filesystem mounted below a watched path is watched, and can be unmounted', async () => {
  site.shell('mkdir disk; truncate -s 16M ../disk.img; mkfs.ext4 -q -F ../disk.img');
  const daemon = await site.begin();
  site.shell('mount -o loop ../disk.img disk');
  await daemon.said(/coverage: .*\/root\/disk is covered by another mount \(filesystem\)/);
  site.shell('echo 1 >disk/file');
  expect(briefs(await daemon.settled(), site.root)).toContain('added disk/file');
  site.shell('umount disk');
  await daemon.said(/coverage: .*\/root\/disk is watched/);
  await daemon.settled();
  expect(site.check()).toMatchObject({ exitCode: 0 });
});

test('the state under a watched path makes no drift, and no end of it', async () => {
  await site[Symbol.asyncDispose]();
  site = new Site({ inside: true });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added file']);
  const length = site.journal().length;
  for (let round = 0; round < 10; round += 1) expect(await daemon.settled()).toEqual([]);
  const later = site.journal().slice(length);
  expect(later.filter(({ rule }) => rule !== 'cookies')).toEqual([]);
  expect(site.check()).toMatchObject({ added: 1, removed: 0, changed: 0, moved: 0 });
});

test('ignored directories and names give no drift, one that moves out does', async () => {
  site.shell('mkdir cache; echo 1 >cache/old');
  site.configure({ ignore: [site.path('cache'), '*.swp'] });
  const daemon = await site.begin();
  site.shell('echo 1 >cache/new; rm cache/old; mkdir -p cache/a/b; echo 1 >cache/a/b/c; echo 1 >.x.swp; echo 1 >file');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added file']);
  site.shell('mv cache/a out; echo 2 >cache/new');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added out', 'added out/b', 'added out/b/c']);
  expect(site.check()).toMatchObject({ added: 4, removed: 0, changed: 0, moved: 0 });
});

test('a full disk for the state: said clearly, and nothing is lost at the next start', async () => {
  const state = site.scratch.tmpfs('small');
  spawnSync('mount', ['-o', 'remount,size=4m', state]);
  site.stateIn(state);
  const daemon = await site.begin();
  spawnSync('dd', ['if=/dev/zero', `of=${state}/filler`, 'bs=4k']);
  site.shell('for i in {1..500}; do echo $i >$i; done');
  const { code } = await daemon.ended;
  expect(code).toBe(74);
  expect(daemon.stderr()).toMatch(/driftline: .*(full|space)/i);
  spawnSync('rm', [join(state, 'filler')]);
  await site.start();
  expect(site.json(['status'])).toMatchObject({ openDrift: { added: 500 } });
  expect(site.driftline('journal', '--verify').status).toBe(0);
});

test('without CAP_SYS_ADMIN: 77, the capability by its name, and what works without it', async () => {
  site.init();
  const daemon = site.spawn({ wrap: ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'] });
  expect((await daemon.ended).code).toBe(77);
  expect(daemon.stderr()).toMatch(/CAP_SYS_ADMIN/);
  expect(daemon.stderr()).toMatch(/hint: .*check/);
});

test('nobody: init and check work, watch ends with 77', () => {
  const home = join(site.outside, 'home');
  mkdirSync(home);
  site.shell(`chmod 755 ${site.scratch.dir}; echo 1 >../outside/file; chown -R 65534:65534 ${home}`);
  const nobody = (...args: string[]) =>
    spawnSync(
      'setpriv',
      [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        process.execPath,
        MAIN,
        '--baseline',
        join(home, 'b.db'),
        ...args,
      ],
      { encoding: 'utf8' },
    );
  expect(nobody('init', join(site.outside, 'file')).status).toBe(0);
  expect(nobody('check').status).toBe(0);
  expect(nobody('watch')).toMatchObject({ status: 77, stderr: expect.stringContaining('CAP_SYS_ADMIN') });
});
