// Starts of programs, kept until a queue comes to them.
import { expect, test } from 'vitest';
import { Starts } from '../../../../src/fanotify/actors/starts.ts';

const OWNER = { startTime: '100', uid: 33, loginUid: undefined, unit: undefined, ppids: [12, 1] };
const begun = (exe: string, atMs = 1) => ({ image: { exe, cmdline: undefined }, owner: undefined, atMs });
const whole = (exe: string, ...cmdline: string[]) => ({ image: { exe, cmdline }, owner: OWNER, atMs: 1 });

test('each start of a process is taken once, in order, by its program', () => {
  const starts = new Starts();
  starts.begin(7, begun('/bin/sh'));
  starts.complete(7, whole('/bin/sh', 'sh', '1'));
  starts.begin(7, begun('/bin/cp'));
  starts.complete(7, whole('/bin/cp', 'cp', '2'));
  starts.begin(7, begun('/bin/sh'));
  expect(starts.take(7, '/bin/sh')?.image.cmdline).toEqual(['sh', '1']);
  expect(starts.current(7)?.image.cmdline).toEqual(['sh', '1']);
  expect(starts.take(7, '/bin/mv')).toBeUndefined();
  expect(starts.take(7, '/bin/cp')?.image.cmdline).toEqual(['cp', '2']);
  expect(starts.take(7, '/bin/sh')).toEqual(begun('/bin/sh'));
  expect(starts.current(7)).toEqual(begun('/bin/sh'));
  starts.complete(7, whole('/bin/sh', 'sh', '3'));
  expect(starts.current(7)?.image.cmdline).toEqual(['sh', '3']);
  expect(starts.take(7, '/bin/sh')).toBeUndefined();
});

test('what a queue has passed over is not taken any more', () => {
  const starts = new Starts();
  for (const exe of ['/a/script', '/bin/sh', '/bin/cp']) starts.begin(7, begun(exe));
  expect(starts.take(7, '/bin/sh')).toBeDefined();
  expect(starts.take(7, '/a/script')).toBeUndefined();
  expect(starts.take(7, '/bin/cp')).toBeDefined();
});

test('a program is found by its name: the next one, or the one that was taken last', () => {
  const starts = new Starts();
  expect(starts.programOf(7, 'sh')).toBeUndefined();
  starts.begin(7, begun('/old/sh'));
  starts.begin(7, begun('/bin/cp'));
  starts.begin(7, begun('/new/sh'));
  expect(starts.programOf(7, 'sh')).toBe('/old/sh');
  starts.take(7, '/old/sh');
  expect(starts.programOf(7, 'sh')).toBe('/new/sh');
  starts.take(7, '/new/sh');
  expect(starts.programOf(7, 'sh')).toBe('/new/sh');
  expect(starts.programOf(7, 'h')).toBeUndefined();
});

test('the start that was told of before its program began unseen; a late word does not change the order', () => {
  const starts = new Starts();
  starts.complete(7, whole('/bin/sh', 'sh'));
  expect(starts.current(7)).toEqual(whole('/bin/sh', 'sh'));
  starts.begin(7, begun('/bin/cp'));
  starts.complete(7, whole('/bin/sh', 'sh', 'late'));
  expect(starts.take(7, '/bin/sh')?.image.cmdline).toEqual(['sh', 'late']);
  expect(starts.take(7, '/bin/cp')).toEqual(begun('/bin/cp'));
});

test('what nobody asks for is forgotten, and of one process all but the latest', () => {
  const starts = new Starts();
  starts.begin(7, begun('/bin/sh', 1000));
  starts.begin(8, begun('/bin/sh', 32_000));
  expect(starts.take(7, '/bin/sh')).toBeUndefined();
  for (let count = 0; count < 20; count += 1) starts.begin(8, begun(`/bin/${count}`, 32_000));
  expect(starts.take(8, '/bin/0')).toBeUndefined();
  expect(starts.take(8, '/bin/19')).toBeDefined();
  for (let pid = 10; pid < 10_000; pid += 1) starts.begin(pid, begun('/bin/sh', 32_000));
  expect([starts.current(10), starts.current(9_999)]).toEqual([undefined, begun('/bin/sh', 32_000)]);
});
