// What is around a run: commands before and after it, those for failures, and health checks.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openHookRunner } from '../../../src/hooks/runner.ts';
import { request, SCRATCH, script } from './run-script.ts';

const problems: string[] = [];
const runner = openHookRunner({ onProblem: (message) => problems.push(message) });
let count = 0;

/** A file, and a script that writes a line to it and ends as it is told. */
function logged() {
  count += 1;
  const file = join(SCRATCH, `log-${count}`);
  const step = (word: string, then = ''): string[] => [script(`echo "${word}" >>'${file}'; ${then}`)];
  return { step, lines: () => readFileSync(file, 'latin1').trimEnd().split('\n') };
}

describe('before and after', () => {
  test('come in their order, and know how it went', async () => {
    const { step, lines } = logged();
    const hook = { before: step('before'), after: step('after $DRIFTLINE_OUTCOME $DRIFTLINE_EXIT_CODE') };
    const done = await runner.run(request(step('run', 'exit 3'), {}, hook));
    expect(done).toMatchObject({ outcome: 'failed', exitCode: 3, problem: undefined });
    expect(lines()).toEqual(['before', 'run', 'after failed 3']);
  });

  test.each([
    ['exit 1', 'failed', 'before: exit 1'],
    ['exit 75', 'again', 'before: exit 75'],
    ['sleep 1000', 'timedOut', 'before: timed out'],
  ])('%s before it: it does not begin', async (then, outcome, problem) => {
    const { step, lines } = logged();
    const hook = {
      before: step('before', then),
      after: step('after'),
      timeoutMs: outcome === 'timedOut' ? 300 : 15_000,
    };
    expect(await runner.run(request(step('run'), {}, hook))).toMatchObject({ outcome, problem });
    expect(lines()).toEqual(['before']);
  });

  test('a good run whose end fails has failed', async () => {
    const { step } = logged();
    const done = await runner.run(request(step('run', 'echo said'), {}, { after: step('after', 'exit 4') }));
    expect(done).toMatchObject({ outcome: 'failed', exitCode: 4, problem: 'after: exit 4', output: 'said\n' });
  });
});

test('statuses mean what they are told to mean', async () => {
  const exitCodes = { ok: [0, 24], again: [11] };
  const outcome = async (status: number) =>
    (await runner.run(request([script(`exit ${status}`)], {}, { exitCodes }))).outcome;
  expect(await Promise.all([0, 24, 11, 75].map(outcome))).toEqual(['ok', 'ok', 'again', 'failed']);
});

test('the signal that asks for the end can be chosen', async () => {
  const patient = script("trap 'exit 7' INT; trap '' TERM; while :; do sleep 0.05; done");
  const stop = { signal: 'INT', graceMs: 10_000 } as const;
  expect(await runner.run(request([patient], {}, { timeoutMs: 300, stop }))).toMatchObject({
    outcome: 'timedOut',
    exitCode: 7,
  });
});

test('onFailure gets the record; its own failure is a notice', async () => {
  const { step, lines } = logged();
  const tell = async (onFailure: readonly string[] | undefined): Promise<void> => {
    const { hook, kill, onStart } = request(['true'], {}, { ...(onFailure && { onFailure }), name: 'a b' });
    await runner.tellFailure({ hook, kill, onStart, environment: { DRIFTLINE_ALERT: 'breaker' }, record: '{"v":1}' });
  };
  await tell(undefined);
  await tell(step('$DRIFTLINE_HOOK $DRIFTLINE_ALERT $(cat)'));
  expect(lines()).toEqual(['a%20b breaker {v:1}'.replace('{v', '{"v"')]);
  expect(problems).toEqual([]);
  await tell(['/no/such/program']);
  expect(problems.splice(0)).toEqual(['hook a b: onFailure: /no/such/program: not found']);
});

describe('health checks', () => {
  async function check(answer: (nth: number) => number, timeoutMs = 15_000) {
    const asked: { path: string; rid: string | null; body: string }[] = [];
    const server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://x');
        asked.push({ path: pathname, rid: searchParams.get('rid'), body: Buffer.concat(chunks).toString() });
        const status = answer(asked.length);
        if (status > 0) response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = (): void => {
      server.closeAllConnections();
      server.close();
    };
    onTestFinished(close);
    const { port } = server.address() as AddressInfo;
    return { asked, close, ping: { url: `http://127.0.0.1:${port}/secret/`, timeoutMs, ca: undefined } };
  }

  test.each([
    ['echo said', 'ok', '/secret'],
    ['echo said; exit 1', 'failed', '/secret/fail'],
    ['echo said; exit 75', 'again', '/secret/log'],
  ])('%s: start, then the end with its output', async (body, outcome, end) => {
    const { asked, ping } = await check(() => 200);
    expect((await runner.run(request([script(body)], {}, { ping }))).outcome).toBe(outcome);
    expect(asked.map(({ path }) => path)).toEqual(['/secret/start', end]);
    expect(asked[1]?.body).toMatch(new RegExp(`^${outcome} \\(exit \\d+\\)\\nsaid\\n$`));
    expect(asked[0]?.rid).toMatch(/^[0-9a-f-]{36}$/);
    expect(asked[1]?.rid).toBe(asked[0]?.rid);
  });

  test('one that is deaf or out of order changes no outcome, and its address is not told', async () => {
    for (const status of [500, 0]) {
      const { asked, ping } = await check(() => status, status === 0 ? 300 : 15_000);
      expect((await runner.run(request(['true'], {}, { ping }))).outcome).toBe('ok');
      expect(asked).toHaveLength(6);
    }
    const { ping: lost, close } = await check(() => 200);
    close();
    expect((await runner.run(request(['true'], {}, { ping: lost }))).outcome).toBe('ok');
    expect(problems).toHaveLength(6);
    expect(problems.join('\n')).toMatch(/HTTP status 500.*no answer within 300 ms.*ECONNREFUSED/s);
    expect(problems.splice(0).join('\n')).not.toContain('127.0.0.1');
  });

  test('nor is one that cannot be an address', async () => {
    const ping = { url: 'http://hush:port/uuid', timeoutMs: 300, ca: undefined };
    expect((await runner.run(request(['true'], {}, { ping }))).outcome).toBe('ok');
    expect(problems.join('\n')).toContain('ERR_INVALID_URL');
    expect(problems.splice(0).join('\n')).not.toMatch(/hush|uuid/);
  });

  test('one that answers at the second time was told', async () => {
    const { asked, ping } = await check((nth) => (nth === 2 ? 503 : 200));
    await runner.run(request(['true'], {}, { ping }));
    expect(asked.map(({ path }) => path)).toEqual(['/secret/start', '/secret', '/secret']);
    expect(problems).toEqual([]);
  });
});

test('at the end of the watch nothing more is begun, and nobody waits for a health check', async () => {
  const { step, lines } = logged();
  const kill = new AbortController();
  const hook = {
    after: step('after'),
    ping: { url: 'http://192.0.2.1/never', timeoutMs: 60_000, ca: undefined },
    onFailure: step('onFailure'),
  };
  const running = runner.run(request(step('run', 'sleep 1000'), { kill: kill.signal }, hook));
  await vi.waitFor(() => expect(lines()).toEqual(['run']), { timeout: 10_000, interval: 5 });
  kill.abort();
  expect(await running).toMatchObject({ signal: 'SIGKILL' });
  const { hook: settings, onStart } = request(['true'], {}, hook);
  await runner.tellFailure({ hook: settings, kill: kill.signal, onStart, environment: {}, record: '{}' });
  expect(lines()).toEqual(['run']);
  problems.splice(0);
});
