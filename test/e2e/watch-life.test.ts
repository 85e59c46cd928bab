// Start, readiness, signals, reload, and who may work on a baseline beside a watch.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import type { Daemon } from './daemon.ts';
import { Site, type SiteOptions } from './site.ts';

/** The design's second, and what a busy machine adds until the end of a process is seen. */
const STOP_MS = 1000 + 500;

let site: Site;
let manager: ReturnType<typeof listenForNotifications> | undefined;

beforeEach(needCapabilities);
afterEach(async () => {
  manager?.process.kill();
  await site?.[Symbol.asyncDispose]();
});

function open(options: SiteOptions = {}): Site {
  site = new Site(options);
  return site;
}

test('what changed while no watch was running is recorded before it is ready', async () => {
  const { root } = open();
  site.shell(`for name in changed removed away mode replaced; do echo $name >$name; done; mkdir dir; echo 1 >dir/in
    find . -exec touch -h -d @1000000000 {} +`);
  site.init();
  site.shell(
    'echo more >>changed; rm removed; mv away moved; chmod 600 mode; rm replaced; mkdir replaced; mv dir tree; echo 1 >added',
  );
  const daemon = await site.start();
  expect(briefs(daemon.records(), root)).toEqual([
    'added added',
    'changed changed: size mtime digest',
    'changed mode: mode',
    'changed replaced: type mode size mtime',
    'moved moved from away',
    'moved tree from dir (1)',
    'removed removed',
  ]);
  expect((await daemon.stop()).code).toBe(0);
  const again = await site.start();
  expect(again.records()).toEqual([]);
  expect(site.json(['status'])).toMatchObject({ openDrift: { added: 1, removed: 1, changed: 3, moved: 2 } });
});

test('what is undone while no watch is running is resolved at the next start', async () => {
  open();
  const daemon = await site.begin();
  site.shell('echo 1 >visitor');
  await daemon.settled();
  await daemon.stop();
  site.shell('rm visitor');
  const again = await site.start();
  expect(briefs(again.records(), site.root)).toEqual(['resolved visitor']);
});

test.each([
  ['SIGTERM', 0],
  ['SIGINT', 130],
] as const)('%s ends with %d', async (signal, code) => {
  open();
  const daemon = await site.begin();
  const ended = await daemon.stop(signal);
  expect(ended).toMatchObject({ code, signal: null });
  expect(ended.ms).toBeLessThan(STOP_MS);
  const types = site.journal().map(({ type }) => type);
  expect(types).toContain('start');
  expect(types.at(-1)).toBe('stop');
  expect(existsSync(`${site.baseline}.sock`)).toBe(false);
});

test('SIGTERM in the middle of the catch-up check of a large tree', async () => {
  open();
  site.shell('for d in {1..10}; do mkdir $d; (cd $d; for f in {1..1000}; do echo $d $f >$f; done); done');
  site.init();
  site.shell('find . -type f -exec sh -c \'for f; do echo changed >>"$f"; done\' sh {} +');
  const daemon = site.spawn();
  await daemon.until('the catch-up check', () => existsSync(`${site.baseline}.sock`));
  const ended = await daemon.stop();
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(daemon.stderr()).not.toMatch(/ready:/);
  expect(ended.ms).toBeLessThan(STOP_MS);
  const again = await site.start();
  expect(site.json(['status'])).toMatchObject({ openDrift: { changed: 10_000 } });
  expect((await again.stop()).code).toBe(0);
});

test('SIGTERM while a hook hangs and is deaf to signals', async () => {
  open();
  const pidFile = join(site.scratch.dir, 'pid');
  site.configure({ rule: { hooks: ['deaf'] }, hooks: { deaf: deaf(pidFile) } });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  await daemon.until('the hook', () => existsSync(pidFile));
  const ended = await daemon.stop();
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.ms).toBeLessThan(STOP_MS);
  expect(site.json(['status'])).toMatchObject({ hooks: [{ name: 'deaf', pending: 1, dead: 0 }] });
});

function deaf(pidFile: string) {
  const script = `trap '' TERM; echo $$ >"$DRIFTLINE_FILE"; while :; do sleep 1; done`;
  return { run: ['/bin/sh', '-c', script], with: { file: pidFile }, quiet: '10ms' };
}

test('one writer: a second watch and init --force are refused, everything that reads is not', async () => {
  open();
  const daemon = await site.begin();
  const second = site.spawn();
  expect((await second.ended).code).toBe(75);
  expect(second.stderr()).toMatch(/another driftline is using .*\n {2}hint: /);
  expect(site.driftline('init', '--force').status).toBe(75);
  site.shell('echo 1 >file');
  await daemon.settled();
  const check = site.check();
  expect(check).toMatchObject({ exitCode: 1, added: 1, coverage: [{ mount: site.mount, mode: 'filesystem' }] });
  expect(site.driftline('status').stdout).toMatch(new RegExp(`running, pid ${daemon.pid}`));
  expect(site.journal().at(-1)).toMatchObject({ type: 'drift' });
  expect(site.driftline('explain', site.path('file')).status).toBe(0);
  await daemon.stop();
  expect(site.driftline('status').status).toBe(0);
  expect(site.json(['status'])).toMatchObject({ pid: null, openDrift: { added: 1 } });
});

test('status --json is what the design says', async () => {
  open({ rule: { hooks: ['ok'], severity: 'critical' }, hooks: { ok: { run: ['true'], quiet: '10ms' } } });
  const daemon = await site.begin();
  site.shell('echo 1 >file; echo 2 >two');
  await daemon.said(/hook ok: ok/);
  const status = site.json(['status']);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  const tier = { every: expect.any(Number), last: time, running: false, content: null, part: 1, parts: 1 };
  expect(status).toEqual({
    v: 1,
    type: 'status',
    pid: daemon.pid,
    since: time,
    generation: expect.any(Number),
    entries: 2,
    healthy: true,
    coverage: [
      { mount: site.mount, mode: 'filesystem', since: time, gaps: 0, unseen: expect.stringContaining('mapping') },
    ],
    backlog: 0,
    overflows: 0,
    gaps: [{ cause: 'unwatched', from: time, to: time }],
    openDrift: { added: 2, removed: 0, changed: 0, moved: 0, bySeverity: { info: 0, normal: 0, critical: 2 } },
    hooks: [
      {
        ...{ name: 'ok', pending: 0, running: false, dead: 0, last: 'ok', lastEnd: time },
        ...{ runningSince: null, nextAttempt: null, failures: 0, openUntil: null, hold: null },
      },
    ],
    sweep: { info: tier, normal: tier, critical: tier },
  });
});

test('SIGHUP: a new rule is watched, and nothing that is written meanwhile is lost', async () => {
  open();
  const extra = join(site.mount, 'extra');
  mkdirSync(extra);
  const daemon = await site.begin();
  const writer = spawn('bash', ['-c', `for i in {1..3000}; do echo $i >"${site.root}/$i"; done`]);
  const written = new Promise((resolve) => writer.once('close', resolve));
  await daemon.record(({ kind }) => kind === 'added');
  site.configure({}, [{ name: 'extra', paths: [extra] }]);
  daemon.signal('SIGHUP');
  await daemon.ready(2);
  await written;
  writeFileSync(join(extra, 'new'), 'x');
  const records = await daemon.settled();
  const names = new Set(records.map(({ path }) => path));
  expect(names.has(join(extra, 'new'))).toBe(true);
  for (let i = 1; i <= 3000; i += 1) expect(names.has(site.path(String(i))), String(i)).toBe(true);
  expect(records.find(({ rule }) => rule === 'extra')).toMatchObject({ kind: 'added' });
  expect(site.journal().filter(({ type }) => type === 'config')).toHaveLength(1);
});

test('SIGHUP again and again: the last configuration counts', async () => {
  open();
  const extras = [1, 2, 3].map((n) => join(site.mount, `extra-${n}`));
  for (const dir of extras) mkdirSync(dir);
  const daemon = await site.begin();
  for (const dir of extras) {
    const reloads = (daemon.stderr().match(/the configuration was reloaded/g) ?? []).length;
    site.configure({}, [{ name: 'extra', paths: [dir] }]);
    daemon.signal('SIGHUP');
    daemon.signal('SIGHUP');
    await daemon.until(
      'a reload',
      () => (daemon.stderr().match(/the configuration was reloaded/g) ?? []).length > reloads,
    );
  }
  const last = join(extras[2] ?? '', 'file');
  writeFileSync(last, 'x');
  await daemon.record(({ path }) => path === last);
  const former = join(extras[0] ?? '', 'file');
  writeFileSync(former, 'x');
  // The directory itself may have been recorded while its configuration was the last.
  expect((await daemon.settled()).map(({ path }) => path)).not.toContain(former);
  expect((await daemon.stop()).code).toBe(0);
});

test('SIGHUP with a wrong configuration: the old one stays, and it says why', async () => {
  open();
  const daemon = await site.begin();
  writeFileSync(site.config, 'rules: nonsense\n');
  daemon.signal('SIGHUP');
  await daemon.said(/the configuration was not reloaded, the old one stays: .*rules/);
  site.shell('echo 1 >file');
  expect(briefs(await daemon.settled(), site.root)).toEqual(['added file']);
  site.configure({ hooks: { gone: { run: ['/no/such/program'] } }, rule: { hooks: ['gone'] } });
  daemon.signal('SIGHUP');
  await daemon.said(/stays: .*gone.*not found/);
  expect((await daemon.stop()).code).toBe(0);
});

test('the service manager hears READY, RELOADING and STOPPING', async () => {
  open();
  site.init();
  const socket = join(site.scratch.dir, 'notify');
  manager = listenForNotifications(socket);
  await manager.until(/listening/);
  const daemon: Daemon = await site.start({ env: { NOTIFY_SOCKET: socket } });
  await manager.until(/READY=1\nSTATUS=watching 1 mount, 2 entries/);
  daemon.signal('SIGHUP');
  await manager.until(/RELOADING=1\nMONOTONIC_USEC=\d+/);
  await daemon.ready(2);
  await manager.until(/RELOADING=1.*READY=1/s);
  writeFileSync(site.config, 'rules: nonsense\n');
  daemon.signal('SIGHUP');
  await manager.until(/RELOADING=1.*READY=1.*RELOADING=1.*READY=1\nSTATUS=the configuration was not reloaded/s);
  await daemon.stop();
  await manager.until(/STOPPING=1/);
});

/** systemd's side of sd_notify(3): a datagram socket, which Node cannot open. */
function listenForNotifications(path: string): { process: ChildProcess; until(pattern: RegExp): Promise<void> } {
  const script = `import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(${JSON.stringify(path)}); print('listening', flush=True)
while True: print(s.recv(65536).decode(), flush=True)`;
  const child = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let wake = (): void => {};
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    wake();
  });
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        if (pattern.test(text)) resolve();
      };
      wake();
    });
  return { process: child, until };
}
