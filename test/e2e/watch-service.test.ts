// Under a service manager: the fanotify group outlives the watch in its store, signs of life, and what it hears of a reload.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import type { Fields } from './daemon.ts';
import { ServiceManager } from './service-manager.ts';
import { Site, type SiteOptions } from './site.ts';

let site: Site;
let manager: ServiceManager;
let writer: ChildProcess | undefined;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
  site.init();
  manager = new ServiceManager(join(site.scratch.dir, 'notify'));
});

/** Another file system instead. */
async function moveTo(filesystem: NonNullable<SiteOptions['filesystem']>): Promise<void> {
  manager[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
  site = new Site({ filesystem });
  manager = new ServiceManager(join(site.scratch.dir, 'notify'));
}
afterEach(async () => {
  writer?.kill('SIGKILL');
  writer = undefined;
  manager?.[Symbol.dispose]();
  await site?.[Symbol.asyncDispose]();
});

const ofType = (type: string): Fields[] => site.journal().filter((record) => record['type'] === type);

/** Does what the script says and stays, so that anybody can look at it. */
function linger(script: string): Promise<ChildProcess> {
  const child = spawn('bash', ['-c', `${script}; echo done; exec 1>&-; read -r`], {
    cwd: site.root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return new Promise((resolve) => child.stdout.once('data', () => resolve(child)));
}

test('kill -9 loses no event: the group in the store has them, with who did it', async () => {
  site.shell('echo 1 >old');
  site.init();
  const daemon = await site.start(manager.options());
  const [stored, ...others] = manager.stored();
  expect(others).toEqual([]);
  expect(stored?.name).toMatch(/^fanotify-\d+-[0-9a-f]{16}$/);
  if (stored === undefined) throw new Error('nothing was stored');
  expect(manager.fdinfo(stored)).toMatch(/^fanotify sdev:/m);
  await daemon.stop('SIGKILL');
  writer = await linger('echo 2 >old; echo 1 >new');
  const again = await site.start(manager.options());
  const records = (await again.settled()).filter(({ type }) => type === 'drift');
  expect(briefs(records, site.root)).toEqual(['added new', expect.stringMatching(/^changed old: .*digest/)]);
  for (const record of records) expect(record['actor']).toMatchObject({ pid: writer.pid, source: 'proc' });
  expect(ofType('gap').map(({ cause }) => cause)).toEqual(['unwatched']);
  expect(site.json(['status'])).toMatchObject({ gaps: [] });
  // The same group once more, without having been stored again.
  expect(manager.stored()).toEqual([stored]);
  await again.stop('SIGKILL');
  site.shell('rm old');
  const third = await site.start(manager.options());
  expect(briefs(await third.settled(), site.root)).toContain('removed old');
  expect(ofType('gap')).toHaveLength(1);
});

const FILESYSTEMS = [
  ['overlay', 'kill -9 loses no event where directories are marked one by one'],
  ['btrfs subvolume', 'nor on a subvolume'],
] as const;

test.each(FILESYSTEMS)('%s: %s', async (filesystem) => {
  await moveTo(filesystem);
  site.shell('mkdir -p sub/deep; echo 1 >sub/old; echo 1 >sub/mode; echo 1 >sub/away; echo 1 >sub/linked');
  site.init();
  const daemon = await site.start(manager.options());
  const stored = manager.stored();
  expect(stored).toHaveLength(3);
  await daemon.stop('SIGKILL');
  // Content, attributes and names in marked directories.
  const script = `exec perl -e '
    sub put { open my $file, ">", $_[0]; print $file "22\\n"; close $file }
    put "sub/old"; chmod 0600, "sub/mode"; rename "sub/away", "away"; put "sub/new";
    $| = 1; print "done"; <STDIN>'`;
  writer = await linger(script);
  const again = await site.start(manager.options());
  const records = (await again.settled()).filter(({ type }) => type === 'drift');
  expect(briefs(records, site.root)).toEqual([
    'added sub/new',
    'changed sub/mode: mode',
    expect.stringMatching(/^changed sub\/old: .*digest/),
    'moved away from sub/away',
  ]);
  for (const record of records) {
    expect(record['actor'], String(record['path'])).toMatchObject({ pid: writer.pid, source: 'proc' });
  }
  expect(ofType('gap').map(({ cause }) => cause)).toEqual(['unwatched']);
  expect(manager.stored()).toEqual(stored);
  await again.stop('SIGKILL');
  // What happened in directories that had no mark nobody saw: that they are there is told.
  site.shell('mkdir -p sub/made/in; echo 22 >sub/made/in/file');
  const once = await site.start(manager.options());
  expect(briefs(await once.settled(), site.root)).toContain('added sub/made/in/file');
  expect(ofType('gap').map(({ cause }) => cause)).toEqual(['unwatched', 'killed']);
  await once.stop('SIGKILL');
  // Other paths are covered now: the marks of directories that led nowhere else are not enough.
  site.configure({ rule: { exclude: [site.path('sub/deep')] } });
  const third = await site.start(manager.options());
  expect(ofType('gap').map(({ cause }) => cause)).toEqual(['unwatched', 'killed', 'killed']);
  await third.until('other groups', () =>
    manager.stored().every(({ name }) => !stored.some((one) => one.name === name)),
  );
  await third.stop('SIGKILL');
});

test('clones of one filesystem: a group each, which goes with its mount', async () => {
  await moveTo('ext4');
  site.shell('sync');
  // The watch of a path whose mount went falls back to the mount around it.
  site.scratch.tmpfs('other');
  const clone = site.scratch.ext4('other/clone', 'fs');
  site.configure({}, [{ name: 'clone', paths: [join(clone, 'root')] }]);
  site.init();
  const daemon = await site.start(manager.options());
  const stored = manager.stored();
  expect(stored).toHaveLength(2);
  await daemon.stop('SIGKILL');
  site.shell(`echo 1 >file; echo 2 >${clone}/root/file`);
  const again = await site.start(manager.options());
  const records = (await again.settled()).filter(({ type }) => type === 'drift');
  expect(records.map(({ path }) => path)).toEqual([site.path('file'), join(clone, 'root/file')]);
  expect(ofType('gap')).toHaveLength(1);
  expect(manager.stored()).toEqual(stored);
  site.shell(`umount ${clone}`);
  await again.until('one group less', () => manager.stored().length === 1);
  await again.stop('SIGKILL');
  site.shell('echo 1 >more');
  const third = await site.start(manager.options());
  expect(briefs(await third.settled(), site.root)).toContain('added more');
});

test('a group that did not see all that is watched now is a gap, and so is none', async () => {
  const daemon = await site.start(manager.options());
  await daemon.stop('SIGKILL');
  const more = site.scratch.tmpfs('more');
  site.configure({}, [{ name: 'more', paths: [more] }]);
  const again = await site.start(manager.options());
  expect(ofType('gap').map(({ cause }) => cause)).toEqual(['unwatched', 'killed']);
  await again.stop('SIGKILL');
  // Marked by now; nothing is missing any more.
  const third = await site.start(manager.options());
  expect(ofType('gap')).toHaveLength(2);
  await third.stop();
});

test('a reload: told when it begins, the new group is stored before the old one is dropped', async () => {
  const daemon = await site.start(manager.options());
  const [first] = manager.stored();
  site.configure({ ignore: ['*.tmp'] });
  daemon.signal('SIGHUP');
  await daemon.ready(2);
  await daemon.until('the second group', () => manager.stored()[0]?.name !== first?.name);
  expect(manager.stored()).toHaveLength(1);
  const said = manager.messages().map((message) => message.split('\n')[0]);
  const from = said.indexOf('RELOADING=1');
  expect(said.slice(from)).toEqual(['RELOADING=1', 'FDSTORE=1', 'FDSTOREREMOVE=1', 'READY=1']);
  expect(manager.messages()[from]).toMatch(/^MONOTONIC_USEC=\d+$/m);
  await daemon.stop('SIGKILL');
  const again = await site.start(manager.options());
  site.shell('echo 1 >file.tmp; echo 1 >file');
  expect(briefs(await again.settled(), site.root)).toEqual(['added file']);
  expect(ofType('gap')).toHaveLength(1);
});

test('a reload that watches the same compares nothing again, and keeps its group', async () => {
  const daemon = await site.start(manager.options());
  const stored = manager.stored();
  site.configure({
    rule: { severity: 'critical', by: { exe: '/**/touch', severity: 'info' }, hooks: ['note'] },
    hooks: { note: { run: ['tee', site.path('../told')], quiet: '10ms' } },
  });
  daemon.signal('SIGHUP');
  await daemon.ready(2);
  site.shell('touch light; echo 1 >grave');
  const records = (await daemon.settled()).filter(({ type }) => type === 'drift');
  expect(records.map(({ path, severity }) => [path, severity])).toEqual([
    [site.path('grave'), 'critical'],
    [site.path('light'), 'info'],
  ]);
  await daemon.until('the hook', () => ofType('run').some(({ hook, outcome }) => hook === 'note' && outcome === 'ok'));
  expect(manager.stored()).toEqual(stored);
  expect(ofType('config')).toHaveLength(1);
  expect(ofType('sweep').map(({ tier }) => tier)).toEqual(['catch-up']);
});

test('status before ready, and signs of life as long as it works', async () => {
  const daemon = await site.start(manager.options({ WATCHDOG_USEC: '1000000' }));
  const isReady = (text: string): boolean => text.startsWith('READY=1');
  await daemon.until('ready', () => manager.messages().some(isReady));
  const said = manager.messages();
  expect(said.findIndex((text) => text.startsWith('STATUS=setting marks'))).toBe(0);
  expect(said.findIndex(isReady)).toBeGreaterThan(0);
  const signs = (): number => manager.messages().filter((text) => text === 'WATCHDOG=1').length;
  await daemon.until('signs of life', () => signs() >= 5);
  await daemon.stop();
  expect(manager.messages().at(-1)).toBe('STOPPING=1');
});
