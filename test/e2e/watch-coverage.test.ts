// Coverage that is lost behind the back of a watch: each time a record, exit bit 8 of check, exit status 8 of status, and the
// word of the service manager; and how it comes back.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as abi from '../../src/fanotify/abi.ts';
import { fanotifyMark } from '../../src/libc/fanotify.ts';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import type { Daemon, Fields } from './daemon.ts';
import { ServiceManager } from './service-manager.ts';
import { Site, type SiteOptions } from './site.ts';

const AT_FDCWD = -100;
const EVERYTHING =
  abi.FAN_OPEN |
  abi.FAN_MODIFY |
  abi.FAN_CLOSE_WRITE |
  abi.FAN_CREATE |
  abi.FAN_DELETE |
  abi.FAN_ATTRIB |
  abi.FAN_ONDIR;

let site: Site;
let manager: ServiceManager;

beforeEach(needCapabilities);
afterEach(async () => {
  manager?.[Symbol.dispose]();
  await site?.[Symbol.asyncDispose]();
});

/** A watch that is ready, and asks for events every second. */
async function begin(options: SiteOptions = {}): Promise<Daemon> {
  site = new Site({ watch: { canary: '1s' }, ...options });
  manager = new ServiceManager(join(site.scratch.dir, 'notify'));
  site.init();
  return await site.start(manager.options());
}

/** The group of the watch, as its service manager keeps it: what is done to it the watch is not told. */
function storedGroup(): number {
  const [stored] = manager.stored();
  if (stored === undefined) throw new Error('nothing was stored');
  return stored.fd;
}

const coverageRecords = (): Fields[] => site.journal().filter(({ type }) => type === 'coverage');
const status = (): Fields => site.json(['status'], [0, 8]);
const lastStatus = (): string => /^STATUS=(.*)$/m.exec(manager.messages().findLast(isStatus) ?? '')?.[1] ?? '';
const isStatus = (message: string): boolean => /^STATUS=/m.test(message);

function expectLost(reason: string): void {
  expect(coverageRecords().at(-1)).toMatchObject({ path: site.mount, state: 'lost', mode: 'none', reason });
  expect(site.driftline('status').status).toBe(8);
  expect(status()).toMatchObject({ healthy: false, coverage: [{ mount: site.mount, mode: 'none', reason }] });
  const check = site.driftline('check', '--json');
  expect((check.status ?? 0) & 8).toBe(8);
  expect(JSON.parse(check.stdout)).toMatchObject({
    exitCode: check.status,
    coverage: [{ mount: site.mount, mode: 'none', reason }],
  });
  expect(check.stderr).toContain(`the running watch does not see ${site.mount}\n`);
  expect(lastStatus()).toContain(`; not seen: ${site.mount} (${reason})`);
}

function expectSeen(coverage: Fields): void {
  expect(status()).toMatchObject({ healthy: true, coverage: [{ mount: site.mount, ...coverage }] });
  expect(site.driftline('status').status).toBe(0);
  expect(lastStatus()).toMatch(/^watching 1 mount, [\d,]+ entr(?:y|ies)$/);
}

test('marks that somebody flushed: told, set again, and what was missed is found', async () => {
  const daemon = await begin({ watch: { canary: '24h' } });
  site.configure({ watch: { canary: '1s' } });
  daemon.signal('SIGHUP');
  await daemon.ready(2);
  site.shell('echo 1 >before');
  await daemon.settled();
  const [before] = status()['coverage'] as Fields[];
  for (const type of [abi.FAN_MARK_FILESYSTEM, abi.FAN_MARK_MOUNT])
    fanotifyMark(storedGroup(), abi.FAN_MARK_FLUSH | type, 0, AT_FDCWD, undefined);
  site.shell('echo 1 >missed');
  await daemon.record(({ path }) => path === site.path('missed'));
  await daemon.until('the marks', () => coverageRecords().length >= 2);
  expect(coverageRecords()).toMatchObject([
    { path: site.mount, state: 'lost', mode: 'none', reason: 'the kernel does not have its marks any more' },
    { path: site.mount, state: 'watched', mode: 'filesystem', gaps: 1 },
  ]);
  expectSeen({ mode: 'filesystem', gaps: 1 });
  const [after] = status()['coverage'] as Fields[];
  expect(Date.parse(String(after?.['since']))).toBeGreaterThan(Date.parse(String(before?.['since'])));
  await daemon.settled();
  site.shell('echo 1 >after');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added after']);
});

test('marks that are there and tell of nothing: lost until an event comes, then compared', async () => {
  const daemon = await begin();
  const swallow = (flag: number): void =>
    fanotifyMark(
      storedGroup(),
      flag | abi.FAN_MARK_IGNORE_SURV | abi.FAN_MARK_FILESYSTEM,
      EVERYTHING,
      AT_FDCWD,
      site.mount,
    );
  swallow(abi.FAN_MARK_ADD);
  site.shell('echo 1 >missed');
  await daemon.until('the silence', () => coverageRecords().length > 0);
  expectLost('no event came when its directory was opened');
  expect(daemon.records().filter(({ type }) => type === 'drift')).toEqual([]);
  swallow(abi.FAN_MARK_REMOVE);
  await daemon.record(({ path }) => path === site.path('missed'));
  expect(coverageRecords()).toMatchObject([{ state: 'lost' }, { state: 'watched', mode: 'filesystem', gaps: 1 }]);
  expectSeen({ mode: 'filesystem', gaps: 1 });
});

test('a filesystem that was shut down is not seen', async () => {
  const daemon = await begin({ filesystem: 'xfs' });
  site.shell('echo 1 >file; sync -f .');
  await daemon.settled();
  expect(spawnSync('xfs_io', ['-x', '-c', 'shutdown', site.mount], { encoding: 'utf8' })).toMatchObject({ status: 0 });
  await daemon.until('the loss', () =>
    coverageRecords().some(({ path, state }) => path === site.mount && state === 'lost'),
  );
  expect(status()).toMatchObject({ healthy: false });
  expect(status()['coverage']).toContainEqual(
    expect.objectContaining({
      mount: site.mount,
      mode: 'none',
      reason: 'its directory cannot be opened: EIO',
    }),
  );
  expect(site.driftline('status').status).toBe(8);
  expect((site.driftline('check').status ?? 0) & 8).toBe(8);
  expect(lastStatus()).toContain(`; not seen: ${site.mount}`);
  expect(daemon.records().filter(({ kind }) => kind === 'removed')).toEqual([]);
});

test('unmounted and mounted again between two looks: marked anew, and what was missed is found', async () => {
  const daemon = await begin({ filesystem: 'ext4', watch: { canary: 'off' } });
  site.shell('echo 1 >before');
  await daemon.settled();
  const [before] = status()['coverage'] as Fields[];
  daemon.signal('SIGSTOP');
  expect(spawnSync('umount', [site.mount], { encoding: 'utf8' })).toMatchObject({ status: 0 });
  site.scratch.remount('fs');
  site.shell('echo 1 >missed');
  daemon.signal('SIGCONT');
  await daemon.record(({ path }) => path === site.path('missed'));
  await daemon.settled();
  site.shell('echo 1 >after');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added after']);
  expectSeen({ mode: 'filesystem' });
  const [after] = status()['coverage'] as Fields[];
  expect(Date.parse(String(after?.['since']))).toBeGreaterThan(Date.parse(String(before?.['since'])));
  expect(coverageRecords().length).toBeGreaterThan(0);
});

test('a lazy unmount: what was there is gone, and whatever comes is watched', async () => {
  const daemon = await begin();
  site.shell('echo 1 >file');
  await daemon.settled();
  // What is open keeps the filesystem alive, and its marks.
  site.shell('exec 9<file; umount -l ../; exec 9<&-');
  await daemon.record(({ type, path }) => type === 'resolved' && path === site.path('file'));
  expect(coverageRecords().filter(({ state }) => state === 'lost')).toEqual(
    expect.arrayContaining([expect.objectContaining({ path: site.root, mode: 'none', reason: 'does not exist' })]),
  );
  // Nothing is there that could be seen.
  expect(status()).toMatchObject({ healthy: true });
  spawnSync('mount', ['-t', 'tmpfs', 'driftline-test', site.mount]);
  for (const dir of [site.root, site.cookies]) mkdirSync(dir);
  site.shell('echo 1 >other');
  await daemon.record(({ kind, path }) => kind === 'added' && path === site.path('other'));
  expect(status()['coverage']).toMatchObject([{ mount: site.mount, mode: 'filesystem' }]);
});

test('a filesystem that is read-only for a while is seen all the time: nothing is written to it', async () => {
  const daemon = await begin();
  const remount = (how: string) => spawnSync('mount', ['-o', `remount,${how}`, site.mount]).status;
  expect(remount('ro')).toBe(0);
  // Longer than an event may take.
  const startMs = Date.now();
  await daemon.until('the patience', () => Date.now() > startMs + 12_000);
  expect(coverageRecords()).toEqual([]);
  expectSeen({ mode: 'filesystem', gaps: 0 });
  expect(remount('rw')).toBe(0);
  site.shell('echo 1 >file');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added file']);
});
