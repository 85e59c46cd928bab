// Answers to permission events, one by one. Whoever opens does so in the thread pool: this thread answers it.

import { closeSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errnoName } from '../../src/domain/errors.ts';
import { pathFromText } from '../../src/domain/path.ts';
import * as abi from '../../src/fanotify/abi.ts';
import type { FanotifyEvent } from '../../src/fanotify/decode.ts';
import { FanotifyGroup } from '../../src/fanotify/group.ts';
import { FAN_DENY_ERRNO } from '../../src/fanotify/response.ts';
import { POLLIN, pollOnce } from '../../src/libc/poll.ts';
import { needCapabilities } from './capability.ts';
import { Scratch } from './scratch.ts';

let scratch: Scratch;
let file: string;
let group: FanotifyGroup | undefined;

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
  file = `${scratch.tmpfs('fs')}/f`;
  writeFileSync(file, '');
});

afterEach(() => {
  group?.close();
  group = undefined;
  scratch?.[Symbol.dispose]();
});

function guard(flags: number): FanotifyGroup {
  group = FanotifyGroup.open({ flags: flags | abi.FAN_UNLIMITED_QUEUE });
  group.mark(abi.FAN_MARK_INODE, abi.FAN_OPEN_PERM, pathFromText(file));
  return group;
}

async function open(): Promise<string> {
  try {
    await (await openFile(file)).close();
    return 'ok';
  } catch (error) {
    // By number: libuv has no name for EDQUOT.
    return errnoName(-((error as NodeJS.ErrnoException).errno ?? 0));
  }
}

/** The event of an open that has begun, and its outcome. */
function begin(from: FanotifyGroup): { event: FanotifyEvent; outcome: Promise<string> } {
  const outcome = open();
  pollOnce([{ fd: from.fd, events: POLLIN }], 10_000);
  const [event] = from.read();
  expect(event?.mask).toBe(abi.FAN_OPEN_PERM);
  return { event: event!, outcome };
}

test('allow and deny, by event and by descriptor; a second answer is ENOENT', async () => {
  const content = guard(abi.FAN_CLASS_CONTENT);
  const first = begin(content);
  content.respond(first.event, abi.FAN_ALLOW);
  expect(await first.outcome).toBe('ok');
  expect(() => content.respond(first.event, abi.FAN_DENY)).toThrow(
    expect.objectContaining({ code: 'ENOENT', syscall: 'write', hint: expect.stringContaining('answered already') }),
  );
  closeSync(first.event.fd);
  const second = begin(content);
  content.respond(second.event.fd, abi.FAN_DENY);
  expect(await second.outcome).toBe('EPERM');
  closeSync(second.event.fd);
});

test.for(['EPERM', 'EIO', 'EBUSY', 'ETXTBSY', 'EAGAIN', 'ENOSPC', 'EDQUOT'] as const)('deny with %s', async (errno) => {
  const preContent = guard(abi.FAN_CLASS_PRE_CONTENT);
  const { event, outcome } = begin(preContent);
  preContent.respond(event, FAN_DENY_ERRNO(errno));
  expect(await outcome).toBe(errnoName(constants.errno[errno]));
  closeSync(event.fd);
});

test.for([
  ['an errno that is not among them', abi.FAN_CLASS_PRE_CONTENT, abi.FAN_DENY | (constants.errno.ENOENT << 24), false],
  ['an errno in a content group', abi.FAN_CLASS_CONTENT, FAN_DENY_ERRNO('EIO'), false],
  ['an errno with allow', abi.FAN_CLASS_PRE_CONTENT, abi.FAN_ALLOW | (constants.errno.EIO << 24), false],
  ['no verdict', abi.FAN_CLASS_CONTENT, 0, false],
  ['both verdicts', abi.FAN_CLASS_CONTENT, abi.FAN_ALLOW | abi.FAN_DENY, false],
  ['audit without FAN_ENABLE_AUDIT', abi.FAN_CLASS_CONTENT, abi.FAN_DENY, true],
] as const)('%s is EINVAL, and the event can still be answered', async ([, flags, verdict, audit]) => {
  const content = guard(flags);
  const { event, outcome } = begin(content);
  expect(() => content.respond(event, verdict, { audit })).toThrow(
    expect.objectContaining({ code: 'EINVAL', syscall: 'write', hint: expect.stringContaining('FAN_ENABLE_AUDIT') }),
  );
  content.respond(event, abi.FAN_ALLOW);
  expect(await outcome).toBe('ok');
  closeSync(event.fd);
});

test('with FAN_ENABLE_AUDIT an answer takes an audit record, with a rule or without', async () => {
  const content = guard(abi.FAN_CLASS_CONTENT | abi.FAN_ENABLE_AUDIT);
  for (const audit of [true, { ruleNumber: 0xffffffff, subjectTrust: 2, objectTrust: 0 }] as const) {
    const { event, outcome } = begin(content);
    content.respond(event, abi.FAN_DENY, { audit });
    expect(await outcome).toBe('EPERM');
    closeSync(event.fd);
  }
});

test('closing the group lets everybody go', async () => {
  const content = guard(abi.FAN_CLASS_CONTENT);
  const { event, outcome } = begin(content);
  content.close();
  expect(await outcome).toBe('ok');
  closeSync(event.fd);
});
