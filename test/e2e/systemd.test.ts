// The shipped unit under a real systemd: what the descriptor store and the watchdog are for.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { BootedSystemd, missingForSystemd } from './booted-systemd.ts';
import type { Fields } from './daemon.ts';
import { Site, type SiteOptions } from './site.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const QUEUE = '/proc/sys/fs/fanotify/max_queued_events';

let site: Site | undefined;
let systemd: BootedSystemd | undefined;
let queueBefore: string | undefined;

beforeEach((context) => {
  needCapabilities(context);
  const missing = missingForSystemd();
  if (missing !== undefined) context.skip(missing);
});
afterEach(async () => {
  await systemd?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
  systemd = undefined;
  site = undefined;
  if (queueBefore !== undefined) writeFileSync(QUEUE, queueBefore);
  queueBefore = undefined;
});

interface Service {
  readonly site: Site;
  readonly systemd: BootedSystemd;
  /** Of the journal. */
  ofType(type: string): Fields[];
  /** The watch that was started for the n-th time, 0 for the first, is ready. */
  restarted(count: number): Promise<void>;
}

/** A site with a baseline, and the service started. */
async function serve(options: SiteOptions = {}, settings: readonly string[] = []): Promise<Service> {
  const made = new Site(options);
  site = made;
  made.init();
  const dir = join(made.scratch.dir, 'systemd');
  mkdirSync(dir);
  const booted = new BootedSystemd(dir, [process.execPath, MAIN, '--config', made.config, 'watch'], settings);
  systemd = booted;
  await booted.booted();
  booted.order('start', 'driftline');
  return {
    site: made,
    systemd: booted,
    ofType: (type) => made.journal().filter((record) => record['type'] === type),
    restarted: (count) =>
      booted.until(
        `restart ${count}`,
        () => booted.show('NRestarts') === String(count) && booted.show('SubState') === 'running',
      ),
  };
}

const causes = ({ ofType }: Service): unknown[] => ofType('gap').map(({ cause }) => cause);

/** Until nothing waits to be compared, and as many paths are open. */
async function open({ site: at, systemd: booted }: Service, drift: Fields): Promise<void> {
  const same = (): boolean => {
    const { backlog, openDrift } = at.json(['status']) as { backlog: number; openDrift: Fields };
    return backlog === 0 && Object.keys(drift).every((kind) => openDrift[kind] === drift[kind]);
  };
  await booted.until(`open drift ${JSON.stringify(drift)}, not ${JSON.stringify(at.json(['status']))}`, same);
}

test('kill -9 while 20,000 files are written: no gap, nothing lost, the state exact', {
  timeout: 240_000,
}, async () => {
  queueBefore = readFileSync(QUEUE, 'utf8');
  // As the package's sysctl.d file has it.
  writeFileSync(QUEUE, '262144');
  const service = await serve();
  expect(service.systemd.show('StatusText')).toMatch(/^watching 1 mount/);
  expect(service.systemd.show('NFileDescriptorStore')).toBe('1');
  const writer = service.systemd.spawnInside(
    'bash',
    '-c',
    `cd ${service.site.root} && for i in {1..20000}; do echo $i >$i; done; echo >last`,
  );
  const written = new Promise((resolve) => writer.once('close', resolve));
  await service.systemd.until('some files', () => service.site.shell('ls | wc -l').trim() > '1');
  service.systemd.order('kill', '--signal=KILL', '--kill-whom=main', 'driftline');
  await service.restarted(1);
  await written;
  await open(service, { added: 20_001, removed: 0, changed: 0 });
  expect(causes(service)).toEqual(['unwatched']);
  expect(service.site.json(['status'])).toMatchObject({ gaps: [], overflows: 0 });
  const added = service.ofType('drift').map(({ path }) => path);
  expect(new Set(added).size).toBe(20_001);
  expect(service.site.check()).toMatchObject({ added: 20_001, removed: 0, changed: 0 });
  expect(service.systemd.show('NFileDescriptorStore')).toBe('1');
});

test('a reload keeps the store filled, a watch that stands still is replaced, a stop empties the store', {
  timeout: 240_000,
}, async () => {
  const service = await serve({}, ['WatchdogSec=15s']);
  const { site: at, systemd: booted } = service;
  at.configure({ ignore: ['*.tmp'] });
  booted.order('reload', 'driftline');
  await booted.until('the reload', () => service.ofType('config').length === 1);
  booted.order('kill', '--signal=KILL', '--kill-whom=main', 'driftline');
  at.shell('echo 1 >file.tmp; echo 1 >after-the-kill');
  await service.restarted(1);
  await open(service, { added: 1 });
  booted.order('kill', '--signal=STOP', '--kill-whom=main', 'driftline');
  at.shell('echo 1 >stopped');
  await service.restarted(2);
  expect(booted.results()).toEqual(['signal', 'watchdog']);
  await open(service, { added: 2 });
  expect(causes(service)).toEqual(['unwatched']);
  booted.order('stop', 'driftline');
  expect(booted.results().at(-1)).toBe('success');
  expect(booted.show('NFileDescriptorStore')).toBe('0');
  booted.order('start', 'driftline');
  expect(causes(service)).toEqual(['unwatched', 'stopped']);
});
