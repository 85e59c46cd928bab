// Each part of an answer (fanotify(7), "Dealing with permission events").
import { writeFileSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import * as fan from 'driftline/fanotify';
import { expect } from 'vitest';
import { answered } from './asking.ts';
import { Stage } from './stage.ts';

const AUDITED = fan.FAN_CLASS_CONTENT | fan.FAN_ENABLE_AUDIT;

/** Opens a file that is asked about; the errno it fails with. */
async function outcome(
  flags: number,
  answer: (group: fan.FanotifyGroup, event: fan.FanotifyEvent) => void,
): Promise<number> {
  using stage = new Stage();
  writeFileSync(stage.at('f'), 'content');
  const group = stage.open(flags | fan.FAN_UNLIMITED_QUEUE);
  group.mark(fan.FAN_MARK_INODE, fan.FAN_OPEN_PERM, stage.at('f'));
  const { masks, errno } = await answered(
    group,
    () => readFile(stage.at('f')),
    (event) => answer(group, event),
  );
  expect(masks).toEqual([fan.FAN_OPEN_PERM]);
  return errno;
}

/** struct fanotify_response and an info record of a type, as `respond` writes none. */
function withInfo(fd: number, type: number, length: number): Buffer {
  const bytes = Buffer.alloc(8 + length);
  bytes.writeInt32LE(fd, 0);
  bytes.writeUInt32LE(fan.FAN_ALLOW | fan.FAN_AUDIT | fan.FAN_INFO, 4);
  bytes.writeUInt8(type, 8);
  bytes.writeUInt16LE(length, 10);
  return bytes;
}

export const RESPONSES = {
  FAN_ALLOW: async () => {
    expect(await outcome(fan.FAN_CLASS_CONTENT, (group, event) => group.respond(event, fan.FAN_ALLOW))).toBe(0);
  },
  FAN_DENY: async () => {
    const errno = await outcome(fan.FAN_CLASS_CONTENT, (group, event) => group.respond(event, fan.FAN_DENY));
    expect(errno).toBe(constants.errno.EPERM);
  },
  FAN_AUDIT: async () => {
    const audit = true;
    expect(await outcome(AUDITED, (group, event) => group.respond(event, fan.FAN_ALLOW, { audit }))).toBe(0);
    await outcome(fan.FAN_CLASS_CONTENT, (group, event) => {
      expect(() => group.respond(event, fan.FAN_ALLOW, { audit })).toThrow(expect.objectContaining({ code: 'EINVAL' }));
      group.respond(event, fan.FAN_ALLOW);
    });
  },
  FAN_INFO: async () => {
    const audit = { ruleNumber: 7, subjectTrust: 1, objectTrust: 2 } as const;
    const errno = await outcome(AUDITED, (group, event) => group.respond(event, fan.FAN_DENY, { audit }));
    expect(errno).toBe(constants.errno.EPERM);
  },
  FAN_RESPONSE_INFO_AUDIT_RULE: () => {
    using stage = new Stage();
    const group = stage.open(AUDITED);
    // With FAN_NOFD it answers nothing, and tells whether the kernel knows the record.
    expect(writeSync(group.fd, withInfo(fan.FAN_NOFD, fan.FAN_RESPONSE_INFO_AUDIT_RULE, 16))).toBe(24);
  },
  FAN_RESPONSE_INFO_NONE: () => {
    using stage = new Stage();
    const group = stage.open(AUDITED);
    const none = withInfo(fan.FAN_NOFD, fan.FAN_RESPONSE_INFO_NONE, 16);
    expect(() => writeSync(group.fd, none)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  },
} satisfies Record<string, () => void | Promise<void>>;
