// `by:` of a rule, through the whole program: what counts when certain programs, users and units alone made a drift.
import { existsSync, mkdirSync, realpathSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { missingCapability, needCapabilities } from '../kernel/capability.ts';
import type { Daemon, Fields } from './daemon.ts';
import { Site } from './site.ts';

const [DD, TEE] = ['/usr/bin/dd', '/usr/bin/tee'].map((path) => realpathSync(path));
/** systemd's own hierarchy, or the unified one: cgroups(7). */
const HIERARCHIES = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified', '/sys/fs/cgroup'];

let site: Site;
let daemon: Daemon;

beforeEach(needCapabilities);
beforeAll(async () => {
  if (missingCapability() !== undefined) return;
  const by = [
    { exe: DD, severity: 'info' },
    { exe: TEE, user: 'nobody', onDrift: 'accept' },
    { unit: 'driftline-by*.service', severity: 'normal' },
  ];
  site = new Site({ rule: { severity: 'critical', by } });
  site.shell('chmod 777 .; echo 1 >kept');
  daemon = await site.begin();
});
afterEach(() => {
  for (const dir of made.splice(0)) rmdirSync(dir);
});
afterAll(async () => await site?.[Symbol.asyncDispose]());

const made: string[] = [];

/** The last word on each name: severity, and who did it. */
async function told(script: string): Promise<Map<string, Fields>> {
  site.shell(script);
  const records = (await daemon.settled()).filter(({ type }) => type === 'drift');
  return new Map(records.map((record) => [String(record['path']).replace(/^.*\//, ''), record]));
}

const severities = (records: ReadonlyMap<string, Fields>): Record<string, unknown> =>
  Object.fromEntries([...records].map(([name, record]) => [name, record['severity']]));

/** Until somebody has looked: processes that live for a millisecond are known by their program alone. */
const patient = (command: string, until: string): string => `(${until}; sleep 0.5) | ${command} >/dev/null 2>&1`;

test('exe: that program alone; another one beside it, and the same file by both', async () => {
  const found = await told(`
    ${patient('dd of=by-dd', 'echo 1')}
    ${patient('tee by-tee', 'echo 1')}
    ${patient('dd of=by-both', 'echo 1')}; ${patient('tee -a by-both', 'echo 2')}`);
  expect(severities(found)).toEqual({ 'by-dd': 'info', 'by-tee': 'critical', 'by-both': 'critical' });
  expect(found.get('by-dd')?.['actor']).toMatchObject({ exe: DD, uid: 0 });
});

test('exe and user: both have to fit, and what fits is accepted', async () => {
  const nobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
  const found = await told(`
    ${patient(`${nobody} tee by-nobody`, 'echo 1')}
    ${patient('tee by-root', 'echo 1')}`);
  expect(severities(found)).toMatchObject({ 'by-root': 'critical' });
  const open = site.check()['drift'] as Fields[];
  const names = open.map(({ path }) => String(path).replace(/^.*\//, ''));
  expect(names).toContain('by-root');
  expect(names).not.toContain('by-nobody');
});

test('unit: whatever the program; a unit of another name does not fit', async (context) => {
  const hierarchy = HIERARCHIES.find((dir) => existsSync(join(dir, 'cgroup.procs')));
  if (hierarchy === undefined) context.skip('needs a cgroup hierarchy of systemd, or the unified one');
  const unit = (name: string): string => {
    const dir = join(hierarchy as string, `${name}-${process.pid}.service`);
    try {
      mkdirSync(dir);
    } catch {
      context.skip(`needs a cgroup hierarchy that is writable: ${dir}`);
    }
    made.push(dir);
    return dir;
  };
  const into = (dir: string, name: string): string =>
    `sh -c 'echo $$ >${dir}/cgroup.procs; sleep 0.3; echo 1 >${name}; sleep 0.5; true'`;
  const found = await told(`${into(unit('driftline-by'), 'in-unit')}; ${into(unit('driftline-not'), 'in-other')}`);
  expect(severities(found)).toEqual({ 'in-unit': 'normal', 'in-other': 'critical' });
  expect(found.get('in-unit')?.['actor']).toMatchObject({ unit: `driftline-by-${process.pid}.service` });
});
