// Descriptors that come with events: every one is closed, whichever way the events go.
import { fstatSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
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

/** All descriptors of this process that are files below the scratch, pidfds or groups. */
function openFds(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(root) || /pidfd|fanotify/.test(target) ? [target] : [];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });
}

const PIDFDS = fan.FAN_REPORT_FID | fan.FAN_REPORT_PIDFD;
const FILES_AND_PIDFDS = fan.FAN_CLASS_NOTIF | fan.FAN_REPORT_FD_ERROR | fan.FAN_REPORT_PIDFD;

function open(flags: number): fan.FanotifyGroup {
  group = fan.FanotifyGroup.open({ flags });
  group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_CLOSE_WRITE, fan.pathFromText(root));
  return group;
}

function touch(count: number, prefix = 'f'): void {
  for (let index = 0; index < count; index += 1) writeFileSync(`${root}/${prefix}${index}`, '');
}

test('100,000 events in a loop, a pidfd and a file each, some kept and closed', async () => {
  const stream = open(FILES_AND_PIDFDS).events({ maxHeldEvents: 500 });
  let count = 0;
  let most = 0;
  for (let round = 0; round < 100; round += 1) {
    // Names that are not queued any more: equal events would merge into one.
    touch(1000, round % 2 === 0 ? 'even' : 'odd');
    for (const wanted = count + 1000; count < wanted; ) {
      const batch = (await stream.next()).value;
      for (const event of batch ?? []) {
        expect(event.fd).toBeGreaterThanOrEqual(0);
        if (count % 100 === 0) fan.closeEvent(batch?.keep(event) ?? event);
        count += 1;
      }
    }
    most = Math.max(most, openFds().length);
  }
  expect(count).toBe(100_000);
  expect(most).toBeLessThan(2 * 1000);
  await stream.return();
  expect(openFds()).toEqual(['anon_inode:[fanotify]']);
});

test('100,000 events by read()', () => {
  const opened = open(PIDFDS);
  let count = 0;
  for (let round = 0; round < 50; round += 1) {
    touch(2000);
    for (let events = opened.read(); events.length > 0; events = opened.read()) {
      count += events.length;
      for (const event of events) fan.closeEvent(event);
    }
  }
  expect(count).toBe(100_000);
  expect(openFds()).toEqual(['anon_inode:[fanotify]']);
});

describe.each([
  ['files and pidfds', FILES_AND_PIDFDS],
  ['pidfds', PIDFDS],
])('of %s, nothing stays open after', (_, flags) => {
  test('the loop was left in the middle of a batch and the group closed', async () => {
    const opened = open(flags);
    touch(500);
    for await (const batch of opened.events({ batchEvents: 100 })) {
      for (const event of batch) if (fan.descriptorsOf(event).length > 0) break;
      break;
    }
    await opened[Symbol.asyncDispose]();
    expect(openFds()).toEqual([]);
  });

  test('an exception of the consumer', async () => {
    const opened = open(flags);
    touch(500);
    const consume = async (): Promise<void> => {
      for await (const _ of opened.events({ batchEvents: 100 })) throw new Error('the consumer failed');
    };
    await expect(consume()).rejects.toThrow('the consumer failed');
    opened.close();
    expect(openFds()).toEqual([]);
  });

  test('close() with events in every queue there is', async () => {
    const opened = open(flags);
    touch(2000);
    const stream = opened.events({ batchEvents: 10, maxHeldEvents: 300 });
    expect((await stream.next()).value?.events).toHaveLength(10);
    touch(100, 'more');
    await opened[Symbol.asyncDispose]();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(openFds()).toEqual([]);
  });

  test('close() before the thread has read anything', async () => {
    const opened = open(flags);
    touch(100);
    const next = opened.events().next();
    await opened[Symbol.asyncDispose]();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(openFds()).toEqual([]);
  });
});

test('a kept event outlives its batch and its group, and is closed once', async () => {
  const opened = open(FILES_AND_PIDFDS);
  touch(2);
  let kept: fan.FanotifyEvent | undefined;
  for await (const batch of opened.events()) {
    kept = batch.keep(batch.events[0]!);
    break;
  }
  await opened[Symbol.asyncDispose]();
  expect(openFds().sort()).toEqual([`${root}/f0`, 'anon_inode:[pidfd]'].sort());
  expect(fstatSync(kept!.fd).isFile()).toBe(true);
  fan.closeEvent(kept!);
  expect(openFds()).toEqual([]);
  // The number is somebody else's now.
  const other = fan.FanotifyGroup.open({ flags: fan.FAN_REPORT_FID });
  fan.closeEvent(kept!);
  mkdirSync(`${root}/dir`);
  other.mark(fan.FAN_MARK_INODE, fan.FAN_CREATE, fan.pathFromText(`${root}/dir`));
  other.close();
});
