// How a trace ends, what it does when events are lost, and that it never feeds itself.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { linesOf } from './daemon.ts';
import { Lab } from './lab.ts';
import { PROGRAM, run } from './program.ts';

let lab: Lab;
beforeEach((context) => {
  needCapabilities(context);
  lab = new Lab();
});
afterEach(async () => await lab?.[Symbol.asyncDispose]());

test('time-out without an event is 2', () => {
  const started = performance.now();
  expect(run(['trace', '--seconds', '0.3', lab.at])).toMatchObject({ status: 2, stdout: '' });
  expect(performance.now() - started).toBeGreaterThan(300);
});

test('an event is 0: at --count at once, at --seconds when they are over; too few events are 2', async () => {
  const waits = ['-s', '8', '-e', 'create', lab.at];
  const traces = [lab.spawn(['-n', '2', ...waits]), lab.spawn(waits), lab.spawn(['-n', '4', ...waits])];
  await Promise.all(traces.map((trace) => trace.ready()));
  lab.shell('touch a b c');
  const ended = await Promise.all(traces.map((trace) => trace.ended));
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 2]);
  expect(traces.map((trace) => trace.stdout().split('\n').length - 1)).toEqual([2, 3, 3]);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s is a clean end within a second', async (signal, code) => {
  const trace = await lab.start(lab.at);
  lab.shell('touch a');
  await lab.lines(trace, '/a');
  const ended = await trace.stop(signal);
  expect(ended).toMatchObject({ code, signal: null });
  expect(ended.ms).toBeLessThan(1000);
});

test('nobody reads any more: 141, without a word', async () => {
  const trace = lab.spawn(['-e', 'create', lab.at], ['bash', '-c', 'exec "$@" > >(head -n 1 >/dev/null)', 'bash']);
  await trace.ready();
  await trace.until('its end', () => {
    spawnSync('touch', [lab.path(`x${performance.now()}`)]);
    return trace.isOver;
  });
  expect(await trace.ended).toMatchObject({ code: 141 });
  expect(trace.stderr()).toMatch(/^ready: .*\n$/);
});

test('its own output, written where it looks, is no event', async () => {
  const out = lab.path('out');
  const trace = lab.spawn([lab.at], ['bash', '-c', `exec "$@" >'${out}'`, 'bash']);
  await trace.ready();
  lab.shell('touch a; touch end');
  await trace.until('the end', () => readFileSync(out, 'utf8').includes('/end'));
  await trace.stop();
  expect(readFileSync(out, 'utf8')).not.toContain(`(${trace.pid})`);
});

test('who reads its output and writes it where it looks does not feed it, and that is said', async () => {
  const out = lab.path('out');
  const script = `exec "$@" > >(cat | tee '${out}' >/dev/null)`;
  const trace = lab.spawn(['-e', 'create,modify,close-write', lab.at], ['bash', '-c', script, 'bash']);
  await trace.ready();
  lab.shell('touch a; touch b; touch end');
  await trace.until('the end', () => readFileSync(out, 'utf8').includes('/end'));
  lab.shell('touch last');
  await trace.until('what comes after', () => readFileSync(out, 'utf8').includes('/last'));
  await trace.said(/what tee\(\d+\) does is not shown: it reads this output/);
  expect(readFileSync(out, 'utf8')).not.toContain('tee(');
});

test('two traces of one filesystem do not feed each other', async () => {
  const traces = [await lab.start(lab.at), await lab.start(lab.at)];
  lab.shell('touch a; touch end');
  for (const trace of traces) await lab.lines(trace, '/end');
  const before = traces.map((trace) => trace.stdout().length);
  // Half a second of silence: the time is what is tested.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const grown = traces.map((trace, at) => trace.stdout().slice(before[at]).split('\n').length);
  expect(Math.max(...grown)).toBeLessThan(10);
});

test.each([['text'], ['json'], ['format']] as const)(
  'overflow is reported, and the trace goes on: %s',
  async (form) => {
    const limit = Number(readFileSync('/proc/sys/fs/fanotify/max_queued_events', 'utf8'));
    const args = { text: [], json: ['--json'], format: ['--format', '%e %w%f'] }[form];
    const trace = await lab.start('-e', 'create', ...args, lab.at);
    trace.signal('SIGSTOP');
    for (let at = 0; at < limit + 3_000; at += 1) writeFileSync(lab.path(`f${at}`), '');
    trace.signal('SIGCONT');
    const word = { text: 'OVERFLOW: ', json: '"type":"overflow"', format: 'Q_OVERFLOW' }[form];
    const lines = await lab.lines(trace, word);
    expect(lines.filter((line) => line.includes(word))).toHaveLength(1);
    if (form === 'json')
      expect(linesOf(lines.join('\n')).find(({ type }) => type === 'overflow')).toMatchObject({ v: 1 });
    if (form === 'format') await trace.said(/OVERFLOW: the queue of the kernel was full/);
    // Every event that the kernel kept is there, with its name; what came first is not lost.
    await lab.lines(trace, `${lab.at}/f${limit - 100}`);
    writeFileSync(lab.path('after'), '');
    await lab.lines(trace, '/after');
    expect(readFileSync('/proc/sys/fs/fanotify/max_queued_events', 'utf8').trim()).toBe(String(limit));
  },
);

test('a reader that is slow costs nothing but time', async () => {
  const child = spawn(process.execPath, [PROGRAM, 'trace', '-e', 'create', lab.at], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pause();
  const trace = lab.attend(child);
  child.stdout.pause();
  await trace.ready();
  // More than the kernel's queue holds, while nobody reads the output: the trace itself keeps them.
  for (let at = 0; at < 20_000; at += 1) writeFileSync(lab.path(`f${at}`), '');
  child.stdout.resume();
  const lines = await lab.lines(trace, '/f19999');
  expect(lines).toHaveLength(20_000);
});

test('a mount can be left while it is traced', async () => {
  const trace = await lab.start(lab.at);
  lab.shell('touch a; touch end');
  await lab.lines(trace, '/end');
  await trace.until('umount(8) succeeds', () => spawnSync('umount', [lab.at]).status === 0);
  expect(await trace.stop('SIGINT')).toMatchObject({ code: 130 });
});
