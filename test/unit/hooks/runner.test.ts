// Real processes that behave as badly as they can, with and without cgroups.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { openCgroups } from '../../../src/hooks/cgroup.ts';
import { type HookRunnerOptions, openHookRunner } from '../../../src/hooks/runner.ts';
import { isAlive, request, SCRATCH, script } from './run-script.ts';

const cgroups = openCgroups();
const FENCES: [string, HookRunnerOptions][] = [['process group', { cgroups: undefined }]];
if (cgroups !== undefined) FENCES.push(['cgroup', { cgroups }]);

describe.each(FENCES)('with a %s', (fence, options) => {
  const runner = openHookRunner({ ...options, timeZone: 'Europe/Berlin' });

  test.each([
    [0, 'ok'],
    [1, 'failed'],
    [75, 'again'],
    [127, 'failed'],
  ] as const)('exit %i is %s', async (exitCode, outcome) => {
    const done = await runner.run(request([script(`echo out; echo err >&2; exit ${exitCode}`)]));
    expect(done).toEqual({ outcome, exitCode, signal: undefined, problem: undefined, output: 'out\nerr\n' });
  });

  test('a signal is its outcome', async () => {
    const done = await runner.run(request([script('kill -SEGV $$')]));
    expect(done).toMatchObject({ outcome: 'failed', exitCode: undefined, signal: 'SIGSEGV' });
  });

  test('arguments arrive as they are', async () => {
    const args = ['$(touch pwn)', '-rf', '', 'a b', '*', '\n', '"', "'", 'ä'];
    const done = await runner.run(request([script('printf "%s|" "$@"'), ...args]));
    expect(done.output).toBe(args.map((arg) => `${arg}|`).join(''));
    expect(existsSync('/pwn')).toBe(false);
  });

  test('the environment is exactly what is promised, the directory is /', async () => {
    const hook = { environment: { DRIFTLINE_TARGET: 'x y' } };
    const done = await runner.run(request(['env', '-0'], { environment: { DRIFTLINE_KEY: 'K' } }, hook));
    expect(done.output.split('\0').sort()).toEqual([
      '',
      'DRIFTLINE_KEY=K',
      'DRIFTLINE_TARGET=x y',
      'LANG=C.UTF-8',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'TZ=Europe/Berlin',
    ]);
    expect((await runner.run(request(['pwd']))).output).toBe('/\n');
  });

  test('there is no terminal, and a session of its own', async () => {
    const done = await runner.run(request(['sh', '-c', 'ps -o tty=,sid= -p $$; echo $$']));
    const [tty, session, pid] = done.output.trim().split(/\s+/);
    expect([tty, session]).toEqual(['?', pid]);
  });

  test.each([
    ['missing', join(SCRATCH, 'nothing'), /nothing: not found$/],
    ['missing in PATH', 'no-such-program', /^no-such-program: not found in \/usr\/local\/sbin:/],
    ['not executable', script('exit 0', 0o644), /: not executable$/],
    ['a directory', SCRATCH, /: not a regular file$/],
    ['a NUL in the name', '/bin/\0', /ERR_INVALID_ARG_VALUE$/],
  ])('%s: failed, with the problem', async (_case, program, problem) => {
    const done = await runner.run(request([program]));
    expect(done).toMatchObject({ outcome: 'failed', exitCode: undefined });
    expect(done.problem).toMatch(problem);
  });

  test('an argument that no execve takes is a problem, not an exception', async () => {
    expect((await runner.run(request(['true', 'a\0b']))).problem).toBe('true: an argument contains a NUL byte');
    const long = await runner.run(request(['true', 'x'.repeat(200_000)]));
    expect(long).toMatchObject({ outcome: 'failed', exitCode: undefined });
    expect(long.problem).toMatch(/E2BIG/);
  });

  test('a missing interpreter fails and says so', async () => {
    const path = script('');
    writeFileSync(path, '#!/no/such/interpreter\n');
    const done = await runner.run(request([path]));
    expect(done).toMatchObject({ outcome: 'failed', exitCode: 127 });
    expect(done.output).toContain(path);
  });

  test('at its timeout it gets SIGTERM', async () => {
    const done = await runner.run(request([script('echo begun; exec sleep 1000')], {}, { timeoutMs: 100 }));
    expect(done).toMatchObject({ outcome: 'timedOut', signal: 'SIGTERM', output: 'begun\n' });
  });

  test('who ignores SIGTERM gets SIGKILL after the grace', async () => {
    const stubborn = script("trap '' TERM; echo $$; while :; do sleep 1000; done");
    const done = await runner.run(request([stubborn], {}, { timeoutMs: 100 }));
    expect(done).toMatchObject({ outcome: 'timedOut', signal: 'SIGKILL' });
    expect(isAlive(Number(done.output))).toBe(false);
  });

  test('an aborted request cancels the run', async () => {
    const cookie = join(SCRATCH, `begun-${fence}`);
    const controller = new AbortController();
    const running = runner.run(
      request([script(`mkfifo '${cookie}'; echo x >'${cookie}'; exec sleep 1000`)], { signal: controller.signal }),
    );
    await vi.waitFor(() => expect(existsSync(cookie)).toBe(true), { timeout: 5_000, interval: 5 });
    readFileSync(cookie);
    controller.abort();
    expect(await running).toMatchObject({ outcome: 'canceled' });
    const late = await runner.run(request(['true'], { signal: controller.signal }));
    expect(late).toMatchObject({ outcome: 'canceled', exitCode: undefined });
  });

  test('at the end of the watch nobody waits for a grace', async () => {
    const cookie = join(SCRATCH, `deaf-${fence}`);
    const [cancel, kill] = [new AbortController(), new AbortController()];
    const deaf = script(`trap '' TERM; mkfifo '${cookie}'; echo x >'${cookie}'; while :; do sleep 1000; done`);
    const stop = { signal: 'TERM', graceMs: 3_600_000 } as const;
    const running = runner.run(request([deaf], { signal: cancel.signal, kill: kill.signal }, { stop }));
    await vi.waitFor(() => expect(existsSync(cookie)).toBe(true), { timeout: 5_000, interval: 5 });
    readFileSync(cookie);
    cancel.abort();
    kill.abort();
    expect(await running).toMatchObject({ outcome: 'canceled', signal: 'SIGKILL' });
  });

  test('a grandchild that holds the pipes delays nothing and dies', async () => {
    const done = await runner.run(request([script('sleep 1000 & echo $!; exit 0')]));
    expect(done.outcome).toBe('ok');
    expect(Number(done.output)).toBeGreaterThan(1);
    expect(isAlive(Number(done.output))).toBe(false);
  });

  test('with detach the grandchild lives on', async () => {
    const done = await runner.run(request([script('sleep 1000 >/dev/null 2>&1 & echo $!')], {}, { detach: true }));
    expect(isAlive(Number(done.output))).toBe(true);
    process.kill(Number(done.output), 'SIGKILL');
  });

  test('256 MiB of output leaves the memory flat', async () => {
    const before = process.memoryUsage().rss;
    const done = await runner.run(request([script('head -c 268435456 /dev/zero | tr "\\0" x; echo; echo end')]));
    expect(done.outcome).toBe('ok');
    expect(done.output).toMatch(/^x{32768}\n\[268369925 bytes dropped\]\nx{32763}\nend\n$/);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  }, 60_000);

  test('binary garbage is only text in the end', async () => {
    const done = await runner.run(request(['head', '-c', '1000000', '/dev/urandom']));
    expect(done.outcome).toBe('ok');
    expect(done.output).toMatch(/\n\[934464 bytes dropped\]\n/);
  });

  test('50 MB of input arrive whole', async () => {
    const done = await runner.run(request(['sha256sum'], { input: Buffer.alloc(50_000_000, 'driftline') }));
    const digest = createHash('sha256').update(Buffer.alloc(50_000_000, 'driftline')).digest('hex');
    expect(done.output).toBe(`${digest}  -\n`);
  });

  test.each(['exec 0<&-; sleep 0.1; exit 0', 'head -c 1 >/dev/null; exit 0', 'exit 0'])(
    'input that nobody reads is no failure: %s',
    async (body) => {
      const done = await runner.run(request([script(body)], { input: Buffer.alloc(50_000_000) }));
      expect(done).toMatchObject({ outcome: 'ok', output: '' });
    },
  );

  test('two hundred runs leave no descriptor and no process behind', async () => {
    await runner.run(request(['true']));
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 10; round += 1) {
      const runs = Array.from({ length: 20 }, () => runner.run(request([script('sleep 1000 & exit 0')])));
      expect((await Promise.all(runs)).map((done) => done.outcome)).toEqual(Array(20).fill('ok'));
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
