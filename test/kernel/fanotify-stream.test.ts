// events(): the reading thread, back-pressure, and all the ways to end it.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fan from 'driftline/fanotify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { Scratch } from './scratch.ts';

let scratch: Scratch;
let root: string;
let group: fan.FanotifyGroup | undefined;

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
  root = scratch.tmpfs('fs');
});

afterEach(async () => {
  await group?.[Symbol.asyncDispose]();
  group = undefined;
  scratch?.[Symbol.dispose]();
});

function open(options: fan.GroupOptions, mask: number): fan.FanotifyGroup {
  group = fan.FanotifyGroup.open(options);
  group.mark(fan.FAN_MARK_FILESYSTEM, mask, fan.pathFromText(root));
  return group;
}

const openNames = (): fan.FanotifyGroup => open({ flags: fan.FAN_REPORT_DFID_NAME }, fan.FAN_CREATE);

function touch(count: number, prefix = 'f'): void {
  for (let index = 0; index < count; index += 1) writeFileSync(`${root}/${prefix}${index}`, '');
}

const namesOf = (events: Iterable<fan.FanotifyEvent>): string[] =>
  [...events].flatMap(({ records }) => records.flatMap((record) => ('name' in record ? [record.name] : [])));

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `f${from + index}`);

test('all events, each once, in order, in batches of the size asked for', async () => {
  const stream = openNames().events({ batchEvents: 7 });
  touch(1000);
  const found: string[] = [];
  let largest = 0;
  for await (const batch of stream) {
    largest = Math.max(largest, batch.events.length);
    found.push(...namesOf(batch));
    if (found.length === 1000) break;
  }
  expect(found).toEqual(names(0, 1000));
  expect(largest).toBe(7);
});

test('what happens while the loop waits arrives', async () => {
  const stream = openNames().events();
  for (const name of ['one', 'two', 'three']) {
    const next = stream.next();
    writeFileSync(`${root}/${name}`, '');
    expect(namesOf((await next).value?.events ?? [])).toEqual([name]);
  }
});

describe('the end', () => {
  test('leaving the loop loses nothing: the rest comes with the next one, or with read()', async () => {
    const opened = openNames();
    touch(100);
    for await (const batch of opened.events({ batchEvents: 10 })) {
      expect(namesOf(batch)).toEqual(names(0, 10));
      break;
    }
    for await (const batch of opened.events({ batchEvents: 10 })) {
      expect(namesOf(batch)).toEqual(names(10, 20));
      break;
    }
    const rest: string[] = [];
    for (let events = opened.read(); events.length > 0; events = opened.read()) rest.push(...namesOf(events));
    expect(rest).toEqual(names(20, 100));
  });

  test('close() ends a loop that waits, and one that is about to', async () => {
    const opened = openNames();
    const stream = opened.events();
    const waiting = stream.next();
    touch(1);
    expect((await waiting).done).toBe(false);
    const again = stream.next();
    opened.close();
    opened.close();
    expect(await again).toEqual({ done: true, value: undefined });
    expect(await opened.events().next()).toEqual({ done: true, value: undefined });
  });

  test('close() inside of the loop ends it', async () => {
    const opened = openNames();
    touch(10);
    let turns = 0;
    for await (const _ of opened.events({ batchEvents: 1 })) {
      turns += 1;
      opened.close();
    }
    expect(turns).toBe(1);
  });

  test('a signal ends the loop without an error, before and while it runs', async () => {
    const opened = openNames();
    expect(await opened.events({ signal: AbortSignal.abort() }).next()).toEqual({ done: true, value: undefined });
    const controller = new AbortController();
    const waiting = opened.events({ signal: controller.signal }).next();
    controller.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    touch(1);
    expect(namesOf(opened.read())).toEqual(['f0']);
  });

  test('an exception of the consumer reaches its caller, and the group can be read again', async () => {
    const opened = openNames();
    touch(2);
    const consume = async (): Promise<void> => {
      for await (const _ of opened.events({ batchEvents: 1 })) throw new Error('the consumer failed');
    };
    await expect(consume()).rejects.toThrow('the consumer failed');
    expect(namesOf(opened.read())).toEqual(['f1']);
  });

  test('one reader at a time', async () => {
    const opened = openNames();
    const stream = opened.events();
    const waiting = stream.next();
    const busy = expect.objectContaining({ code: 'BUSY' });
    expect(() => opened.read()).toThrow(busy);
    await expect(opened.events().next()).rejects.toEqual(busy);
    touch(1);
    await waiting;
    await stream.return();
    expect(opened.read()).toEqual([]);
  });

  test('a buffer that is too small for an event is an error, and loses nothing', async () => {
    const opened = open({ flags: fan.FAN_REPORT_DFID_NAME, bufferBytes: 32 }, fan.FAN_CREATE);
    touch(1);
    await expect(opened.events().next()).rejects.toMatchObject({ code: 'EINVAL', syscall: 'read' });
    expect(opened.queueDepth()).toBe(1);
  });
});

describe('a consumer that is behind', () => {
  test('is told, and what did not fit into the kernel is an overflow', async () => {
    const limit = Number(readFileSync('/proc/sys/fs/fanotify/max_queued_events', 'utf8'));
    const opened = openNames();
    let told: (stall: fan.Stall) => void = () => undefined;
    const stalled = new Promise<fan.Stall>((resolve) => {
      told = resolve;
    });
    const stream = opened.events({ maxHeldEvents: 100, batchEvents: 50, onStall: told });
    const first = stream.next();
    touch(1, 'first');
    let count = (await first).value?.events.length ?? 0;
    expect(count).toBe(1);
    touch(limit + 1000);
    const stall = await stalled;
    expect(stall.heldEvents).toBeGreaterThanOrEqual(100);
    // What was held leaves the consumer, and only then is there room for more.
    const held = opened.queueDepth();
    expect(held).toBeGreaterThan(limit - 1000);
    touch(2000, 'late');
    let overflows = 0;
    while (overflows === 0) {
      const batch = (await stream.next()).value;
      for (const event of batch ?? []) {
        if (event.kind === 'overflow') overflows += 1;
        else count += 1;
      }
    }
    expect(count).toBeGreaterThanOrEqual(limit);
    expect(count).toBeLessThan(limit + 3001);
    touch(1, 'after');
    const after: string[] = [];
    while (!after.includes('after0')) after.push(...namesOf((await stream.next()).value ?? []));
  });

  test('gets all of it once it goes on, when it fits', async () => {
    const opened = openNames();
    touch(5000);
    const found: string[] = [];
    let stalls = 0;
    const onStall = (): void => {
      stalls += 1;
    };
    for await (const batch of opened.events({ maxHeldEvents: 1, batchEvents: 100, onStall })) {
      found.push(...namesOf(batch));
      if (found.length >= 5000) break;
    }
    expect(found).toEqual(names(0, 5000));
    expect(stalls).toBeGreaterThan(0);
  });
});

test('an event that the kernel could not deliver is told, and the loop goes on', async () => {
  writeFileSync(`${root}/file`, 'text');
  const opened = open({ flags: fan.FAN_CLASS_NOTIF, eventFlags: fan.O_RDWR | fan.O_CLOEXEC }, fan.FAN_OPEN);
  execFileSync('mount', ['-o', 'remount,ro', root]);
  const stream = opened.events();
  const waiting = stream.next();
  readFileSync(`${root}/file`);
  const batch = (await waiting).value;
  expect(batch?.events).toEqual([]);
  expect(batch?.lost).toEqual([expect.objectContaining({ code: 'EROFS', syscall: 'read' })]);
  execFileSync('mount', ['-o', 'remount,rw', root]);
  const next = stream.next();
  readFileSync(`${root}/file`);
  expect((await next).value?.events).toHaveLength(1);
});

describe('the end of the process', () => {
  const REPOSITORY = join(import.meta.dirname, '../..');

  function run(body: string): { status: number | null; signal: string | null; output: string } {
    const program = `
      import { writeFileSync } from 'node:fs';
      import * as fan from 'driftline/fanotify';
      const group = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_DFID_NAME });
      group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_CREATE, fan.pathFromText(${JSON.stringify(root)}));
      const touch = () => writeFileSync(${JSON.stringify(root)} + '/f' + Math.random(), '');
      ${body}`;
    const args = ['--input-type=module', '-e', program];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: REPOSITORY,
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { status, signal, output: stdout + stderr };
  }

  test.each([
    [
      'process.exit() with a loop that waits',
      'touch(); for await (const _ of group.events()) setImmediate(() => process.exit(3));',
      3,
    ],
    ['process.exit() before the thread runs', 'group.events().next(); process.exit(3);', 3],
    ['process.exit() inside of the loop', 'touch(); for await (const _ of group.events()) process.exit(3);', 3],
    ['an exception that nobody catches', 'touch(); for await (const _ of group.events()) throw new Error("no");', 1],
    ['a loop that was left', 'touch(); for await (const _ of group.events()) break;', 0],
    ['an iterator that is forgotten', 'touch(); await group.events().next();', 0],
    ['close()', 'touch(); for await (const _ of group.events()) setImmediate(() => group.close());', 0],
  ])('%s', (_, body, status) => {
    const ran = run(body);
    expect(ran, ran.output).toMatchObject({ status, signal: null });
  });
});

test('looking up paths is no event that makes another look', async () => {
  const mask = fan.FAN_OPEN | fan.FAN_CLOSE_NOWRITE | fan.FAN_ACCESS | fan.FAN_ONDIR;
  const group = open({ flags: fan.FAN_REPORT_DFID_NAME_TARGET }, mask);
  const signal = AbortSignal.timeout(1500);
  const resolver = new fan.PathResolver([fan.pathFromText(root)]);
  const stream = group.events({ resolver, signal });
  execFileSync('sh', ['-c', `echo x > ${root}/file`]);
  const paths: string[] = [];
  let events = 0;
  for await (const batch of stream) {
    for (const event of batch) {
      events += 1;
      paths.push(...batch.pathsOf(event).paths.map(fan.pathToText));
    }
    // A consumer that looks by itself, as one does behind every batch.
    resolver.release();
  }
  expect(paths).toContain(`${root}/file`);
  expect(events).toBeLessThan(20);
});
