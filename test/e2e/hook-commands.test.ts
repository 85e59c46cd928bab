// driftline hook list, test, run, release: beside a watch and without one.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { aside, configureHook, site, siteForEach } from './site-for-each.ts';

siteForEach();

const COLLECT = ['sh', '-c', 'cat >>"$DRIFTLINE_FILE"; test -e "$DRIFTLINE_FILE.good"'];

test('what was given up is listed, tried again by hand without a watch, and delivered with its key', async () => {
  configureHook({
    run: COLLECT,
    with: { file: aside('got') },
    retry: { attempts: 1 },
    onFailure: ['tee', '-a', aside('told')],
  });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  await daemon.said(/alert: hook it: a batch of 1 paths was given up/);
  expect(site.driftline('hook', 'list').stdout).toMatch(/^it {2}last run failed at \S+, 0 pending, 1 given up/);
  await daemon.stop();
  expect(site.driftline('hook', 'run', 'it', '--pending')).toMatchObject({
    status: 75,
    stderr: expect.stringContaining('1 left'),
  });
  writeFileGood();
  expect(site.driftline('hook', 'run', 'it', '--pending').status).toBe(0);
  expect(readFileSync(aside('got'), 'utf8')).toBe(`${site.path('file')}\0`.repeat(3));
  expect(site.json(['hook', 'list'])).toMatchObject({
    hooks: [{ name: 'it', dead: 0, pending: 0, last: 'ok', rules: ['site'] }],
  });
  const runs = site.journal().filter(({ type }) => type === 'run');
  expect(runs.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'ok']);
  expect(new Set(runs.map(({ key }) => key)).size).toBe(1);
  expect(site.journal().filter(({ type }) => type === 'alert')).toMatchObject([
    { kind: 'dead', hook: 'it' },
    { kind: 'dead' },
  ]);
  expect(readFileSync(aside('told'), 'utf8')).toMatch(/"type":"run".*\n.*"type":"alert"/);
  expect(site.driftline('hook', 'run', 'it', site.path('by-hand')).status).toBe(0);
  expect(readFileSync(aside('got'), 'utf8')).toContain(`${site.path('by-hand')}\0`);
});

function writeFileGood(): void {
  site.shell(`touch ${aside('got.good')}`);
}

test('test says what would run and why, and runs nothing unless it is told to', async () => {
  configureHook({ run: COLLECT, with: { file: aside('got') } });
  site.shell('echo 1 >file');
  site.init();
  const shown = site.driftline('hook', 'test', 'it', site.path('file'), '/elsewhere');
  expect(shown).toMatchObject({ status: 0 });
  for (const word of [/runs +\/usr\/bin\/sh -c 'cat/, /because +drift of rule site/, /DRIFTLINE_PATHS=2/, /2 paths/]) {
    expect(shown.stdout).toMatch(word);
  }
  expect(shown.stdout).toContain('root/file: starts it, rule site names it\n');
  expect(shown.stdout).toContain('/elsewhere: does not start it, no rule covers it\n');
  const plan = site.json(['hook', 'test', 'it', site.path('file')]);
  expect(Buffer.from(String(plan['input']), 'base64').toString()).toBe(`${site.path('file')}\0`);
  expect(() => readFileSync(aside('got'))).toThrow('ENOENT');
  expect(site.driftline('hook', 'test', '--run', 'it', site.path('file')).status).toBe(74);
  writeFileGood();
  expect(site.driftline('hook', 'test', '--run', 'it', site.path('file')).status).toBe(0);
  for (const args of [
    ['test', 'that'],
    ['run', 'it'],
    ['run', 'it', '--pending', '/x'],
    ['release', 'that'],
  ]) {
    expect(site.driftline('hook', ...args).status).toBe(64);
  }
});

test('what is held is released without a watch, too, and by whom is journaled', async () => {
  configureHook({ run: ['true'], holdOn: { severity: 'critical' } }, { severity: 'critical' });
  const daemon = await site.begin();
  site.shell('ln -s x grave');
  await daemon.said(/alert: hook it: held/);
  await daemon.stop();
  expect(site.driftline('hook', 'release', 'it')).toMatchObject({ status: 0, stderr: 'hook it is released\n' });
  expect(site.driftline('hook', 'release', 'it').stderr).toBe('hook it was not held\n');
  const [record, ...more] = site.journal().filter(({ type }) => type === 'release');
  expect(record).toMatchObject({ hook: 'it', reason: 'critical drift (rule site)', by: { uid: process.getuid?.() } });
  expect(more).toEqual([]);
  expect(site.driftline('journal').stdout).toMatch(/RELEASE {2}hook it {2}reason critical drift \(rule site\)/);
  expect(site.driftline('hook', 'run', 'it', '--pending')).toMatchObject({ status: 0 });
});

test('a mass change holds a hook over a restart, until it is released', async () => {
  configureHook({ run: COLLECT, with: { file: aside('got') }, holdOn: { filesPerMinute: 50 } }, { onDrift: 'accept' });
  writeFileGood();
  const daemon = await site.begin();
  site.shell('touch one');
  await daemon.said(/hook it: ok/);
  site.shell('for n in $(seq 60); do echo $n >file-$n; done');
  await daemon.said(/alert: hook it: held, until it is released: \d+ drifts within a minute/);
  expect(site.json(['status'])).toMatchObject({
    hooks: [{ hold: { reason: expect.stringContaining('within a minute') } }],
  });
  expect(site.driftline('hook', 'run', 'it', '--pending')).toMatchObject({
    status: 75,
    stderr: expect.stringContaining('hook release it'),
  });
  expect(site.driftline('hook', 'test', 'it').stdout).toMatch(/^ {2}refused +held: \d+ drifts within a minute$/m);
  expect(site.driftline('hook', 'test', '--run', 'it')).toMatchObject({ status: 75, stdout: '' });
  await daemon.stop();
  const before = readFileSync(aside('got'), 'utf8');
  const again = await site.start();
  site.shell('touch more');
  await again.settled();
  expect(site.json(['hook', 'list'])).toMatchObject({ hooks: [{ hold: expect.any(Object), running: false }] });
  expect(readFileSync(aside('got'), 'utf8')).toBe(before);
  expect(site.driftline('hook', 'release', 'it')).toMatchObject({ status: 0, stderr: 'hook it is released\n' });
  await again.until('all of it', () => new Set(readFileSync(aside('got'), 'utf8').split('\0')).size >= 63);
  expect(site.driftline('hook', 'release', 'it').stderr).toBe('hook it was not held\n');
  expect(site.journal().filter(({ type }) => type === 'release')).toMatchObject([
    {
      hook: 'it',
      reason: expect.stringContaining('drifts within a minute'),
      since: expect.any(String),
      by: { uid: process.getuid?.(), cmdline: expect.arrayContaining(['release', 'it']) },
    },
  ]);
  site.shell('touch last');
  await again.until('the next', () => readFileSync(aside('got'), 'utf8').includes('/last\0'));
});
