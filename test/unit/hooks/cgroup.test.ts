// Needs a writable cgroup2 hierarchy; what a process group cannot fence in.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openCgroups } from '../../../src/hooks/cgroup.ts';
import { openHookRunner } from '../../../src/hooks/runner.ts';
import { isAlive, request, SCRATCH, script } from './run-script.ts';

const cgroups = openCgroups();
const place = cgroups?.create();
const parent = place === undefined ? '' : dirname(dirname(place.procs[0] ?? ''));
await place?.remove();
const inCgroups = test.skipIf(cgroups === undefined || parent === '');
const runner = openHookRunner();

function ownCgroups(): string[] {
  return readdirSync(parent).filter((name) => name.startsWith(`driftline-hook.${process.pid}.`));
}

inCgroups('a hook is inside before it can fork, and its cgroup is gone afterwards', async () => {
  const done = await runner.run(request(['cat', '/proc/self/cgroup']));
  expect(done.output).toMatch(/^0::.*\/driftline-hook\.\d+\.\d+$/m);
  expect(ownCgroups()).toEqual([]);
});

inCgroups('a grandchild in a session of its own dies', async () => {
  const pidFile = join(SCRATCH, 'escaped');
  const runaway = script(
    `setsid -f sh -c 'echo $$ >"${pidFile}"; exec sleep 1000'; until [ -s "${pidFile}" ]; do :; done`,
  );
  const done = await runner.run(request([runaway]));
  expect(done.outcome).toBe('ok');
  expect(isAlive(Number(readFileSync(pidFile, 'latin1')))).toBe(false);
});

inCgroups('a fork bomb ends with its run', async () => {
  const bomb = script('n=0; while [ $n -lt 300 ]; do setsid sleep 1000 & n=$((n+1)); done; echo done; sleep 1000');
  const done = await runner.run(request([bomb], {}, { timeoutMs: 1_500 }));
  expect(done.outcome).toBe('timedOut');
  expect(ownCgroups()).toEqual([]);
});

inCgroups('cgroups that the hook made inside go too', async () => {
  const nest = script('dir=$(sed -n "s/^0:://p" /proc/self/cgroup); mkdir "$1$dir/a" "$1$dir/a/b"');
  const hierarchy = parent.startsWith('/sys/fs/cgroup/unified') ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup';
  expect((await runner.run(request([nest, hierarchy]))).outcome).toBe('ok');
  expect(ownCgroups()).toEqual([]);
});

inCgroups('what a driftline that died has left is killed by the next one', async () => {
  const dead = spawnSync('true').pid;
  const left = join(parent, `driftline-hook.${dead}.1`);
  mkdirSync(left);
  const orphan = spawnSync('sh', [
    '-c',
    `sh -c 'echo $$ >"${left}/cgroup.procs"; exec sleep 1000' >/dev/null 2>&1 & echo $!`,
  ]);
  const pid = Number(orphan.stdout.toString());
  await vi.waitFor(() => expect(readFileSync(join(left, 'cgroup.procs'), 'latin1')).toBe(`${pid}\n`));
  openCgroups();
  await vi.waitFor(() => expect(existsSync(left)).toBe(false), { timeout: 5_000 });
});

inCgroups('so is what one has left that had the same pid, and its name is not given again', async () => {
  const next = Number(/\.(\d+)$/.exec(cgroups?.create()?.name ?? '')?.[1]) + 1;
  const left = join(parent, `driftline-hook.${process.pid}.${next}`);
  mkdirSync(left);
  const place = openCgroups()?.create();
  expect(place?.name).toBe(`driftline-hook.${process.pid}.${next + 1}`);
  await vi.waitFor(() => expect(existsSync(left)).toBe(false), { timeout: 5_000 });
  for (const name of ownCgroups()) rmdirSync(join(parent, name));
});

test('a place without cgroup2 gives none', () => {
  const empty = mkdtempSync(join(SCRATCH, 'empty-'));
  expect(openCgroups([empty, '/no/such/place'])).toBeUndefined();
  rmSync(empty, { recursive: true });
});
