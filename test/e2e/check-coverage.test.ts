// What a check says of the watch that runs beside it, or seems to.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serveControl } from '../../src/cli/control-server.ts';
import { pathFromText } from '../../src/domain/path.ts';
import { needCapabilities } from '../kernel/capability.ts';
import { Site } from './site.ts';

let site: Site;
beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

test('a rule path that is there and not seen is exit bit 8; one that is not there is not', async () => {
  const missing = site.path('missing');
  site.configure({}, [{ name: 'missing', paths: [missing] }]);
  site.init();
  let mounts = [missing];
  const row = (mount: string) => ({ mount, mode: 'none', since: new Date().toISOString(), gaps: 0 });
  const server = await serveControl(pathFromText(site.baseline), () =>
    Promise.resolve({ type: 'status', coverage: mounts.map(row) }),
  );
  try {
    expect(await site.driftlineBeside('check', '--json')).toMatchObject({ status: 0 });
    mounts = [missing, site.root];
    const unseen = await site.driftlineBeside('check', '--json');
    expect([unseen.status, JSON.parse(unseen.stdout).exitCode]).toEqual([8, 8]);
    expect(unseen.stderr).toContain(`the running watch does not see ${site.root}\n`);
  } finally {
    server.close();
  }
});

test('a watch that was stopped makes nobody hang', async () => {
  const daemon = await site.begin();
  daemon.signal('SIGSTOP');
  const check = site.driftline('check', '--json');
  expect([check.status, JSON.parse(check.stdout)]).toMatchObject([8, { coverage: [], exitCode: 8 }]);
  expect(check.stderr).toContain('the running watch gives no answer: what it covers is not known\n');
  const status = site.driftline('status');
  expect(status.status).toBe(8);
  expect(status.stdout).toMatch(/^watch {5}gives no answer$/m);
  expect(site.json(['status'], [8])).toMatchObject({ pid: null, healthy: false, coverage: [] });
  expect(status.stderr).toContain('the running watch gave no answer within 5 s: what it covers is not known');
  daemon.signal('SIGCONT');
  expect(await daemon.stop()).toMatchObject({ code: 0 });
});
