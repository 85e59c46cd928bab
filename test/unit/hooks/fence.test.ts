// Who runs a hook, what it may have, and what it must be before it is begun.
import { chmodSync, chownSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openHasher } from '../../../src/disk/digest.ts';
import { openCgroups } from '../../../src/hooks/cgroup.ts';
import { openHookRunner } from '../../../src/hooks/runner.ts';
import { isAlive, request, SCRATCH, script } from './run-script.ts';

const hash = openHasher();
const digestOf = (bytes: Uint8Array): string => Buffer.from(hash(bytes)).toString('hex');
const problems: string[] = [];
const runner = openHookRunner({ digestOf, onProblem: (message) => problems.push(message) });
const isRoot = process.geteuid?.() === 0;

describe('digest', () => {
  test('the program that was pinned runs, another does not', async () => {
    const path = script('echo run');
    const digests = { '': digestOf(readFileSync(path)) };
    expect(await runner.run(request([path], {}, { digests }))).toMatchObject({ outcome: 'ok', output: 'run\n' });
    writeFileSync(path, '#!/bin/sh\necho other\n');
    const done = await runner.run(request([path], {}, { digests }));
    expect(done).toMatchObject({ outcome: 'failed', exitCode: undefined, output: '', alert: 'digest' });
    expect(done.problem).toMatch(/its digest is [0-9a-f]{64}, not the one that was pinned$/);
  });

  test('other files can be pinned; one that is gone is another', async () => {
    const part = join(SCRATCH, 'part');
    writeFileSync(part, 'x');
    const digests = { [part]: digestOf(Buffer.from('x')) };
    expect((await runner.run(request(['true'], {}, { digests, before: ['true'] }))).outcome).toBe('ok');
    const gone = await runner.run(request(['true'], {}, { digests: { '/no/such/file': digestOf(Buffer.from('')) } }));
    expect(gone).toMatchObject({ outcome: 'failed', alert: 'digest' });
  });
});

describe('credentials', () => {
  const secret = (name: string, mode: number): string => {
    writeFileSync(join(SCRATCH, name), 'secret', { mode });
    return join(SCRATCH, name);
  };

  test('their files are named in the environment', async () => {
    const credentials = { PASSWORD: secret('good', 0o400) };
    const done = await runner.run(request(['sh', '-c', 'cat "$DRIFTLINE_CREDENTIAL_PASSWORD"'], {}, { credentials }));
    expect(done.output).toBe('secret');
  });

  test('what others can read, replace or reach by a link is none', async () => {
    symlinkSync(secret('linked', 0o400), join(SCRATCH, 'link'));
    const foreign = secret('foreign', 0o400);
    if (isRoot) chownSync(foreign, 12_345, 0);
    for (const [file, problem] of [
      [secret('open', 0o644), 'others may read or write it'],
      [join(SCRATCH, 'link'), 'not a regular file'],
      [join(SCRATCH, 'missing'), 'not found'],
      ...(isRoot ? [[foreign, 'belongs to user 12345'] as const] : []),
    ] as const) {
      const done = await runner.run(request(['true'], {}, { credentials: { KEY: file } }));
      expect(done).toMatchObject({ outcome: 'failed', problem: `credential KEY: ${file}: ${problem}` });
    }
  });
});

describe.skipIf(!isRoot)('user (needs root)', () => {
  test('it has all groups of the user and nothing of root', async () => {
    const done = await runner.run(
      request(['sh', '-c', 'id -u; id -G; grep CapEff /proc/self/status'], {}, { user: 'mail' }),
    );
    const [uid, groups, capabilities] = done.output.split('\n');
    const line = readFileSync('/etc/passwd', 'latin1')
      .split('\n')
      .find((each) => each.startsWith('mail:'));
    expect([uid, groups]).toEqual([line?.split(':')[2], line?.split(':')[3]]);
    expect(capabilities).toMatch(/\t0{16}$/);
  });

  test('supplementary groups come along', async () => {
    const member = readFileSync('/etc/group', 'latin1')
      .split('\n')
      .map((each) => each.split(':'))
      .find((each) => each[3]);
    if (member === undefined) return expect(member).toBeUndefined();
    const user = member[3]?.split(',')[0] ?? '';
    const done = await runner.run(request(['id', '-G'], {}, { user }));
    expect(done.output.trim().split(' ')).toContain(member[2]);
  });

  test('a user that there is not', async () => {
    const done = await runner.run(request(['true'], {}, { user: 'no-such-user' }));
    expect(done).toMatchObject({ outcome: 'failed', problem: 'there is no user no-such-user' });
  });

  test('it is ended like any other', async () => {
    const stubborn = script("trap '' TERM; echo $$; while :; do sleep 1000; done");
    chmodSync(SCRATCH, 0o755);
    const done = await runner.run(request([stubborn], {}, { user: 'mail', timeoutMs: 300 }));
    expect(done).toMatchObject({ outcome: 'timedOut', signal: 'SIGKILL' });
    expect(isAlive(Number(done.output))).toBe(false);
  });
});

describe('limits', () => {
  const cgroups = openCgroups();
  const place = cgroups?.create({ memoryBytes: 2 ** 26, tasks: 20 });
  const refused = place?.unlimited ?? ['memory', 'tasks'];
  const leave = place?.remove();

  test.skipIf(refused.includes('tasks'))(
    'a fork bomb has so many processes and no more (needs a pids controller)',
    async () => {
      await leave;
      const bomb = script('bomb() { bomb & bomb & }; (bomb) 2>/dev/null; sleep 0.3; exit 0');
      const limits = { memoryBytes: undefined, tasks: 20 };
      const done = await runner.run(request([bomb], {}, { limits, timeoutMs: 3_000 }));
      expect(['failed', 'timedOut', 'ok']).toContain(done.outcome);
      expect(done.problem).toBeUndefined();
    },
  );

  test.skipIf(refused.includes('memory'))(
    'who takes too much memory is ended (needs a memory controller)',
    async () => {
      await leave;
      const greedy = ['sh', '-c', 'head -c 512M /dev/zero | tail -c 512M | wc -c'];
      const limits = { memoryBytes: 2 ** 26, tasks: undefined };
      const done = await runner.run(request(greedy, {}, { limits, timeoutMs: 15_000 }));
      expect(done.output.trim()).not.toBe('536870912');
    },
  );

  test('without a cgroup it runs, and somebody is told', async () => {
    const bare = openHookRunner({ cgroups: undefined, onProblem: (message) => problems.push(message) });
    expect((await bare.run(request(['true'], {}, { limits: { memoryBytes: undefined, tasks: 5 } }))).outcome).toBe(
      'ok',
    );
    expect(problems).toEqual(['hook test: no limit of tasks: there is no cgroup for it']);
  });
});

test('without a cgroup, too, a grandchild in a session of its own dies', async () => {
  const bare = openHookRunner({ cgroups: undefined });
  const pidFile = join(SCRATCH, 'runaway');
  const runaway = script(
    `setsid -f sh -c 'echo $$ >"${pidFile}"; exec sleep 1000'; until [ -s "${pidFile}" ]; do :; done`,
  );
  const done = await bare.run(request([runaway], { environment: { DRIFTLINE_RUN_ID: `R${process.pid}` } }));
  expect(done).toMatchObject({ outcome: 'ok', problem: undefined });
  expect(isAlive(Number(readFileSync(pidFile, 'latin1')))).toBe(false);
});
