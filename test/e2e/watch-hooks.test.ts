// Hooks behind a real watch: what they are given, what becomes of their failures, and that nothing on the way to them is lost.
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Fields } from './daemon.ts';
import { aside, configureHook, site, siteForEach } from './site-for-each.ts';

siteForEach();

const runs = (): Fields[] => site.journal().filter(({ type }) => type === 'run');

test('rsync-mirror: edits, deletions, renames and moves of directories; the mirror is equal at the end', async () => {
  const target = aside('mirror');
  mkdirSync(target);
  configureHook({ use: 'rsync-mirror', with: { source: site.root, target } }, { onDrift: 'accept' });
  site.shell('mkdir -p a/b c; for d in . a a/b c; do for f in 1 2 3; do echo $d $f >$d/$f; done; done; ln -s 1 link');
  expect(spawnSync('rsync', ['-a', `${site.root}/`, `${target}/`]).status).toBe(0);
  const daemon = await site.begin();
  const steps = [
    'echo new >new; echo more >>1; rm 2; chmod 600 3; ln -sfn 3 link',
    'mv a moved; echo in >moved/b/in; rm moved/1',
    'mv moved/b c/; rm -r moved; mkdir moved; echo 1 >moved/file',
    "rm -r c/b/3; mkdir c/b/3; echo 1 >c/b/3/deep; echo x >$'odd\\nname'; mv new c/b/",
    'rm c/1; mkdir c/1; rm -r c/b; mv c d; rmdir d/1; mv d e; ln -s e/2 d',
  ];
  for (const step of steps) {
    site.shell(step);
    await daemon.settled();
  }
  await daemon.until('an equal mirror', () => differences(target).length === 0);
  expect(site.check()).toMatchObject({ exitCode: 0 });
  expect(new Set(runs().map(({ outcome }) => outcome))).toEqual(new Set(['ok']));
});

/** What rsync itself would still do, by content. */
function differences(target: string): string[] {
  const args = ['-rlptgoD', '--checksum', '--delete', '-n', '-i', `${site.root}/`, `${target}/`];
  const { status, stdout } = spawnSync('rsync', args, { encoding: 'latin1' });
  expect(status).toBe(0);
  return stdout.split('\n').filter((line) => line !== '' && line !== '.d..t...... ./');
}

test('alert-exec: a line for each drift, and of its end', async () => {
  configureHook({ use: 'alert-exec', with: { command: ['tee', '-a', aside('alerts')] } });
  const daemon = await site.begin();
  site.shell("echo 1 >file; echo 2 >$'evil\\e[31m\\nname'");
  await daemon.said(/hook it: ok, 2 paths/);
  const lines = readFileSync(aside('alerts'), 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines.join()).toContain('evil\\e[31m\\nname');
  site.shell('rm file');
  await daemon.said(/hook it: ok, 1 path\n/);
  expect(readFileSync(aside('alerts'), 'utf8')).toMatch(/resolved.*file/i);
});

/** Runs the shipped script for the logs of the site, as the last action of a rotation by `create`. */
function rotate(): SpawnSyncReturns<string> {
  const script = join(import.meta.dirname, '../../hooks/logrotate-postrotate');
  const rotation = `lastaction\n ${script} --config ${site.config} "$1"\n endscript`;
  writeFileSync(aside('rotate.conf'), `${site.root}/*.log {\n rotate 2\n create\n ${rotation}\n}\n`, { mode: 0o644 });
  const driftline = aside('driftline');
  const main = join(import.meta.dirname, '../../dist/cli/main.js');
  writeFileSync(driftline, `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`, { mode: 0o755 });
  return spawnSync('logrotate', ['-f', '-s', aside('rotate.state'), aside('rotate.conf')], {
    env: { ...process.env, DRIFTLINE: driftline, DRIFTLINE_RUNTIME: aside('run') },
    encoding: 'utf8',
  });
}

test('logrotate: the rotation is accepted through the watch, another change is not', async () => {
  site.shell('chmod 755 .; echo line >a.log; echo line >b.log; echo 1 >other');
  const daemon = await site.begin();
  site.shell('echo 2 >>other');
  await daemon.settled();
  expect(rotate()).toMatchObject({ status: 0, stderr: expect.stringContaining('accepted') });
  await daemon.settled();
  expect(site.check()).toMatchObject({
    added: 0,
    removed: 0,
    moved: 0,
    changed: 1,
    drift: [{ path: site.path('other') }],
  });
  expect(site.json(['status'])).toMatchObject({ openDrift: { added: 0, removed: 0, moved: 0, changed: 1 } });
});

test('logrotate: of a log that is written to all the time, too, and a log is told once', async () => {
  site.configure({ rule: { attributes: ['mode', 'growing'] } });
  site.shell('chmod 755 .; seq 100000 >a.log');
  const daemon = await site.begin();
  const writer = spawn('bash', ['-c', 'for ((n = 0; ; n += 1)); do sleep 0.01; echo $n >>a.log; done'], {
    cwd: site.root,
  });
  try {
    for (let round = 0; round < 5; round += 1) {
      expect(rotate()).toMatchObject({ status: 0, stderr: expect.stringContaining('accepted') });
      // Nothing accepts this one.
      site.shell(`echo line >new.${round}`);
      for (let times = 0; times < 20; times += 1) site.shell(`sleep 0.05; echo line >>new.${round}`);
    }
  } finally {
    writer.kill();
  }
  await daemon.settled();
  const told = daemon
    .records()
    .filter(({ type }) => type === 'drift')
    .map(({ path }) => String(path));
  expect(told.filter((path) => path.includes('/new.'))).toHaveLength(5);
  expect(
    (site.check()['drift'] as Fields[]).map(({ path }) => String(path)).filter((path) => !path.includes('/new.')),
  ).toEqual([]);
}, 120_000);

test.each([
  ['missing', () => '/no/such/program', /not found/],
  ['not executable', plainFile, /not executable/],
])('a program that is %s: 78 at start', async (_, program, message) => {
  site.init();
  configureHook({ run: [program()] });
  const daemon = site.spawn();
  expect((await daemon.ended).code).toBe(78);
  expect(daemon.stderr()).toMatch(message);
});

function plainFile(): string {
  writeFileSync(aside('plain'), '#!/bin/sh\n', { mode: 0o644 });
  return aside('plain');
}

test('a watch warns of a credential that is missing, and delivers when it is there', async () => {
  configureHook({
    run: ['sh', '-c', 'cat "$DRIFTLINE_CREDENTIAL_KEY" >"$DRIFTLINE_FILE"'],
    with: { file: aside('got') },
    credentials: { KEY: aside('key') },
    retry: { backoff: '50ms..100ms', attempts: 1000 },
  });
  const daemon = await site.begin();
  expect(daemon.stderr()).toMatch(/^driftline: warning: \S+:\d+: hooks\.it\.credentials\.KEY: .*not found$/m);
  site.shell('echo 1 >file');
  await daemon.said(/hook it: failed \(credential KEY: .*not found\)/);
  writeFileSync(aside('key'), 'secret', { mode: 0o600 });
  await daemon.said(/hook it: ok/);
  expect(readFileSync(aside('got'), 'utf8')).toBe('secret');
});

test('a failing hook is tried again, later each time, and given up', async () => {
  configureHook({
    run: ['sh', '-c', 'echo "attempt $DRIFTLINE_ATTEMPT"; exit 1'],
    retry: { attempts: 3, backoff: '50ms..150ms' },
  });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  await daemon.said(/attempt 3 of 3, given up/);
  const records = runs();
  expect(records.map(({ attempt, outcome, exitCode, paths }) => [attempt, outcome, exitCode, paths])).toEqual([
    [1, 'failed', 1, 1],
    [2, 'failed', 1, 1],
    [3, 'failed', 1, 1],
  ]);
  expect(records.map(({ output }) => output)).toEqual(['attempt 1\n', 'attempt 2\n', 'attempt 3\n']);
  expect(new Set(records.map(({ key }) => key)).size).toBe(1);
  expect(new Set(records.map(({ runId }) => runId)).size).toBe(3);
  const [first, second, third] = records.map(({ start, end }) => [Date.parse(String(start)), Date.parse(String(end))]);
  expect(Number(second?.[0]) - Number(first?.[1])).toBeGreaterThanOrEqual(49);
  expect(Number(third?.[0]) - Number(second?.[1])).toBeGreaterThanOrEqual(99);
  expect(site.json(['status'])).toMatchObject({ hooks: [{ name: 'it', pending: 0, dead: 1, last: 'failed' }] });
  site.shell('echo 2 >>file');
  await daemon.said(/(attempt 3 of 3, given up.*){2}/s);
});

test('a hook that hangs is ended at its timeout', async () => {
  configureHook({ run: ['sleep', '1000'], timeout: '200ms', retry: { attempts: 1 } });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  await daemon.said(/hook it: timedOut/);
  expect(runs()).toMatchObject([{ outcome: 'timedOut', signal: 'SIGTERM' }]);
});

test('a gigabyte of output is cut to its first and last 32 KiB', async () => {
  configureHook({ run: ['sh', '-c', 'echo first; head -c 1G /dev/zero; echo last'] });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  await daemon.said(/hook it: ok/);
  const output = String(runs()[0]?.['output']);
  expect(output.startsWith('first\n')).toBe(true);
  expect(output.endsWith('last\n')).toBe(true);
  expect(output.length).toBeLessThan(70_000);
  expect(peakMemoryMiB(daemon.pid)).toBeLessThan(400);
});

function peakMemoryMiB(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

test('what waits for a hook survives kill -9', async () => {
  const program = ['sh', '-c', 'cat >"$DRIFTLINE_FILE"'];
  configureHook({ run: program, with: { file: aside('got') }, quiet: '1h', deadline: '1h' });
  const daemon = await site.begin();
  site.shell('echo 1 >file; mkdir dir; echo 2 >dir/in');
  await daemon.settled();
  await daemon.stop('SIGKILL');
  expect(existsSync(aside('got'))).toBe(false);
  configureHook({ run: program, with: { file: aside('got') } });
  const again = await site.start();
  await again.said(/hook it: ok, 3 paths/);
  const paths = ['dir', 'dir/in', 'file'].map((name) => `${site.path(name)}\0`);
  expect(readFileSync(aside('got'), 'utf8')).toBe(paths.join(''));
});

test('a run that kill -9 of the watch interrupts is delivered again, with the same key', async () => {
  const script = 'echo "$DRIFTLINE_KEY" >>"$DRIFTLINE_FILE"; [ -e "$DRIFTLINE_FILE.go" ] || exec sleep 1000';
  configureHook({ run: ['sh', '-c', script], with: { file: aside('keys') } });
  const daemon = await site.begin();
  site.shell('echo 1 >file');
  await daemon.until('the first run', () => existsSync(aside('keys')));
  await daemon.stop('SIGKILL');
  writeFileSync(aside('keys.go'), '');
  const again = await site.start();
  await again.said(/hook it: ok/);
  const [first, second, ...more] = readFileSync(aside('keys'), 'utf8').trimEnd().split('\n');
  expect(second).toBe(first);
  expect(more).toEqual([]);
});

test('everything of a moved directory is named, under both names, sorted and once', async () => {
  configureHook({ run: ['sh', '-c', 'cat >>"$DRIFTLINE_FILE"'], with: { file: aside('got') } });
  site.shell('mkdir -p dir/sub; echo 1 >dir/1; echo 2 >dir/sub/2; mkdir gone; echo 3 >gone/3');
  const daemon = await site.begin();
  site.shell('mv dir tree; rm -r gone');
  await daemon.said(/hook it: ok/);
  const moved = ['dir', 'dir/1', 'dir/sub', 'dir/sub/2', 'gone', 'gone/3', 'tree', 'tree/1', 'tree/sub', 'tree/sub/2'];
  expect(readFileSync(aside('got'), 'utf8')).toBe(moved.map((name) => `${site.path(name)}\0`).join(''));
});

test('a hook that writes where it is watched does not start itself again', async () => {
  // Whose child the writer is, is read from /proc: it has to live until somebody has looked.
  const write = 'echo $$ >$DRIFTLINE_ROOT/by-hook-$DRIFTLINE_RUN_ID; sleep 1';
  const script = `echo run >>"$DRIFTLINE_FILE"; sh -c '${write}'`;
  configureHook({ run: ['sh', '-c', script], with: { file: aside('runs'), root: site.root } });
  const daemon = await site.begin();
  // Each in one step, so that it is one drift on a busy machine, too.
  site.shell('ln -s 1 file');
  await daemon.record(({ path }) => String(path).includes('/by-hook-'));
  site.shell('ln -s 2 other');
  await daemon.until('a second run', () => readFileSync(aside('runs'), 'utf8') === 'run\nrun\n');
  await daemon.until(
    'its drift',
    () => daemon.records().filter(({ path }) => String(path).includes('/by-hook-')).length === 2,
  );
  await daemon.settled();
  const it = (): Fields | undefined => (site.json(['status'])['hooks'] as Fields[])[0];
  await daemon.until('the hook to rest', () => it()?.['pending'] === 0 && it()?.['running'] === false);
  expect(readFileSync(aside('runs'), 'utf8')).toBe('run\nrun\n');
  expect(readdirSync(site.root).filter((name) => name.startsWith('by-hook-'))).toHaveLength(2);
});

test('two hooks that answer each other stop, and an orphan in a session of its own is still the doing of its hook', async () => {
  const answer =
    'setsid -f sh -c "sleep 0.3; echo $DRIFTLINE_RUN_ID >$DRIFTLINE_TO/$DRIFTLINE_RUN_ID; sleep 1"; sleep 1.5';
  const [first, second] = [join(site.mount, 'first'), join(site.mount, 'second')];
  for (const dir of [first, second]) mkdirSync(dir);
  const common = { run: ['sh', '-c', answer], quiet: '20ms', deadline: '500ms' };
  site.configure(
    {
      rule: { onDrift: 'accept' },
      watch: { hooks: { chain: 2 } },
      hooks: { a: { ...common, with: { to: second } }, b: { ...common, with: { to: first } } },
    },
    [
      { name: 'first', paths: [first], onDrift: 'accept', hooks: ['a'] },
      { name: 'second', paths: [second], onDrift: 'accept', hooks: ['b'] },
    ],
  );
  const daemon = await site.begin();
  site.shell(`ln -s x ${first}/begin`);
  await daemon.said(/alert: hook b: 2 runs of hooks have followed from each other/);
  const told = (): unknown[] => runs().map((run) => run['hook']);
  await daemon.until('the third run to be over', () => told().length === 3);
  await daemon.settled();
  expect(told()).toEqual(['a', 'b', 'a']);
  expect(site.journal().filter(({ type }) => type === 'alert')).toMatchObject([{ kind: 'chain', hook: 'b' }]);
});
