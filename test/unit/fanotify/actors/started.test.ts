// Program starts between the answerer and the reader.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeStarted, parseStarted, StartedPrograms } from '../../../../src/fanotify/actors/strict/started.ts';
import { closeFd } from '../../../../src/libc/handle.ts';
import { openSocketPair, sendMessage } from '../../../../src/libc/socket.ts';

const OWNER = {
  startTime: '100',
  uid: 33,
  loginUid: undefined,
  unit: 'web.service',
  ppids: [12, 1],
  comm: 'cp',
  cgroup: '/web.service',
};
const start = (exe: string, ...cmdline: string[]) => ({ image: { exe, cmdline }, owner: OWNER, atMs: 5 });

let ends: readonly [number, number];
let programs: StartedPrograms;
let told: unknown[];

beforeEach(() => {
  ends = openSocketPair(1 << 20);
  told = [];
  programs = new StartedPrograms(ends[0], (...one) => told.push(one));
});
afterEach(() => ends.forEach(closeFd));

const tell = (pid: number, exe: string, ...cmdline: string[]): void => {
  expect(sendMessage(ends[1], encodeStarted(pid, start(exe, ...cmdline)), [])).toBe('sent');
};

test('a message is what it was made of', () => {
  expect(parseStarted(encodeStarted(7, start('/bin/\xe9', 'a', 'b')))).toEqual({
    pid: 7,
    ...start('/bin/\xe9', 'a', 'b'),
  });
  const gone = { image: { exe: '/bin/a', cmdline: undefined }, owner: undefined, atMs: 5 };
  expect(parseStarted(encodeStarted(7, gone))).toEqual({ pid: 7, ...gone });
  for (const wrong of ['1', '{}', '{"pid":"7","image":{"exe":"/a"}}', '{"pid":7,"image":{}}']) {
    expect(parseStarted(Buffer.from(wrong))).toBeUndefined();
  }
});

test('what is told arrives, in order', () => {
  tell(7, '/bin/sh', 'sh', '1');
  tell(8, '/bin/mv', 'mv');
  programs.drain();
  expect(told).toEqual([
    [7, start('/bin/sh', 'sh', '1')],
    [8, start('/bin/mv', 'mv')],
  ]);
});
