// Logs that may grow and are drift, as after a rotation: what is appended since that was told is nothing new.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AttributeSet } from '../../../src/domain/attribute.ts';
import { digestText } from '../../../src/domain/entry.ts';
import { toldContent } from '../../../src/domain/fingerprint.ts';
import type { AcceptRequest, AcceptResult } from '../../../src/engine/accept.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';
import { Ground } from './ground.ts';
import { event, Watching } from './watching.ts';

const LOG = path('/r/log');
const GROWING: AttributeSet = { names: new Set(['mode']), growing: true };

let ground: Ground;
let watching: Watching;
let text = '';
let prefixes = 0;
/** Bytes that a character stands for. */
let scale = 1n;

beforeEach(() => {
  ground = new Ground();
  watching = new Watching(ground);
  prefixes = 0;
  scale = 1n;
});
afterEach(async () => {
  await watching.stop();
  ground.close();
});

const logOf = (content: string, inode = 7n) =>
  entry('/r/log', {
    inode,
    sizeBytes: scale * BigInt(content.length),
    digest: digestOf(content),
    ctimeNs: BigInt(content.length),
  });

async function begin(set: AttributeSet, baseline?: string): Promise<void> {
  ground.rules = [rule('logs', ['/r'], { attributes: set })];
  await ground.start(...(baseline === undefined ? [] : [logOf(baseline)]));
  ground.disk.digestPrefix = (_, lengthBytes) => {
    prefixes += 1;
    return Promise.resolve(digestOf(text.slice(0, Number(lengthBytes / scale))));
  };
  await watching.begin();
}

function write(content: string, inode = 8n): void {
  text = content;
  ground.disk.set(logOf(content, inode));
}

/** Written, and told of by the kernel; returns how many records there are of it by now. */
async function log(content: string, inode = 8n): Promise<number> {
  write(content, inode);
  watching.source.say(event(LOG));
  await watching.clock.advance(2000);
  return watching.journal('"drift"').length;
}

async function accept(request: Partial<AcceptRequest> = {}): Promise<AcceptResult> {
  const by = { source: 'unknown' } as const;
  const asked = { paths: [], report: undefined, reviewed: undefined, by, ...request };
  const accepted = watching.watch.accept(asked).catch((error: unknown) => error);
  await watching.clock.advance(2000);
  const result = await accepted;
  if (result instanceof Error) throw result;
  return result as AcceptResult;
}

const acceptedSize = (): bigint | undefined => ground.store.baseline.find(LOG)?.sizeBytes;

test('a new log is told once, however much is appended, and again when what was told is another', async () => {
  await begin(GROWING);
  expect(await log('abc')).toBe(1);
  expect(await log('abcd')).toBe(1);
  expect(await log('abcdef')).toBe(1);
  expect(await log('xbcdef')).toBe(2);
  expect(await log('xbcdefg')).toBe(2);
  expect(await log('xb')).toBe(3);
  expect(await log('xbc')).toBe(3);
  expect(ground.open()).toEqual([LOG]);
});

test('where files may not grow each content is told', async () => {
  await begin({ names: new Set(['size', 'digest']), growing: false });
  expect(await log('abc')).toBe(1);
  expect(await log('abcd')).toBe(2);
  expect(prefixes).toBe(0);
});

test('a log that was replaced by a shorter one, as logrotate(8) does it, is told once, also when it becomes longer than before', async () => {
  await begin(GROWING, 'abcdef');
  expect(await log('xyz')).toBe(1);
  expect(await log('xyzx')).toBe(1);
  expect(await log('xyzxyzxyz')).toBe(1);
  expect(await log('xyzxyzxyzxyz')).toBe(1);
  expect((await accept({ paths: [LOG] })).accepted).toHaveLength(1);
  expect([acceptedSize(), ground.open()]).toEqual([3n, []]);
  expect(await log('xyzxyzxyzxyzx')).toBe(1);
});

test('it can be accepted while it grows, as it was told', async () => {
  await begin(GROWING);
  await log('abc');
  write('abcdef');
  expect((await accept({ paths: [LOG] })).accepted).toHaveLength(1);
  expect([acceptedSize(), ground.open()]).toEqual([3n, []]);
  expect(await log('abcdefgh')).toBe(1);
  await log('abxdef');
  expect(ground.open()).toEqual([LOG]);
});

test('whatever somebody puts there while everything is read, what was told is accepted', async () => {
  await begin(GROWING);
  await log('abc');
  write('EVILxx');
  text = 'abcdef';
  expect((await accept({ paths: [LOG] })).accepted).toHaveLength(1);
  const { sizeBytes, digest } = ground.store.baseline.find(LOG) ?? {};
  expect([sizeBytes, digest && digestText(digest)]).toEqual([3n, digestText(digestOf('abc'))]);
  await log('EVILxxmore');
  expect(ground.open()).toEqual([LOG]);
});

test('what was told to be empty is accepted as that', async () => {
  await begin(GROWING);
  await log('');
  write('abc');
  expect((await accept({ paths: [LOG] })).accepted).toHaveLength(1);
  expect([acceptedSize(), ground.open()]).toEqual([0n, []]);
});

test('of what was empty each content is told, and of what is large', async () => {
  await begin(GROWING);
  expect(await log('')).toBe(1);
  expect(await log('a')).toBe(2);
  expect(await log('ab')).toBe(2);
  scale = 5n * 1024n * 1024n;
  expect(await log('abc')).toBe(3);
  expect(await log('abcd')).toBe(3);
  expect(await log('bcde')).toBe(4);
  prefixes = 0;
  expect(await log('bcdef')).toBe(5);
  expect(prefixes).toBe(0);
});

test('when nothing is appended any more it is told as it is then, once, with all who did it', async () => {
  await begin(GROWING);
  expect(await log('abc')).toBe(1);
  const by = async (pid: number, content: string): Promise<void> => {
    write(content);
    watching.source.say({ kind: 'dirty', path: LOG, subtree: false, actor: { source: 'exec', pid } });
    await watching.clock.advance(2000);
  };
  const settle = async (): Promise<string[]> => {
    for (let ms = 0; ms < 90_000; ms += 1000) await watching.clock.advance(1000);
    return watching.journal('"drift"');
  };
  await by(7, 'abcd');
  for (let times = 0; times < 20; times += 1) {
    await watching.clock.advance(30_000);
    await by(8, `abcd${'.'.repeat(times)}`);
  }
  expect(watching.journal('"drift"')).toHaveLength(1);
  const told = await settle();
  expect(told).toHaveLength(2);
  expect(told[1]).toContain('"pid":7');
  expect(told[1]).toContain('"pid":8');
  expect(await settle()).toHaveLength(2);
  await by(9, `abcd${'.'.repeat(30)}`);
  ground.disk.remove(LOG);
  watching.source.say(event(LOG));
  expect((await settle()).slice(2)).toEqual([]);
  expect(ground.open()).toEqual([]);
});

test('that its content is right again is told', async () => {
  await begin(GROWING, 'abcdef');
  ground.disk.set({ ...logOf('abc'), mode: 0o600 });
  text = 'abc';
  watching.source.say(event(LOG));
  await watching.clock.advance(2000);
  ground.disk.set({ ...logOf('abcdefgh'), mode: 0o600 });
  text = 'abcdefgh';
  watching.source.say(event(LOG));
  await watching.clock.advance(2000);
  expect(watching.journal('"drift"')).toHaveLength(2);
});

test.each(['everything', 'its id', 'what a person looked at'])('by %s, too', async (means) => {
  await begin(GROWING);
  await log('abc');
  const [open] = ground.store.openDriftAt(LOG);
  write('abcdef');
  const reviewed = new Map([[LOG, open?.fingerprint ?? '']]);
  const request = { 'its id': { report: open?.id }, 'what a person looked at': { reviewed } }[means];
  expect((await accept(request)).accepted).toHaveLength(1);
  expect([acceptedSize(), ground.open()]).toEqual([3n, []]);
});

test.each([
  ['what was told is another', 'abxdef', 8n],
  ['it is shorter', 'ab', 8n],
])('it cannot when %s', async (_, content, inode) => {
  await begin(GROWING);
  await log('abc');
  write(content, inode);
  await expect(accept({ paths: [LOG] })).rejects.toMatchObject({ code: 'STALE' });
  expect(acceptedSize()).toBeUndefined();
});

test('what is no fingerprint of a file that may grow says nothing of its content', () => {
  const facts = (...all: unknown[]): string => JSON.stringify(['added', LOG, null, [], null, all]);
  const digest = 'ab'.repeat(32);
  const value = Buffer.from(digest, 'hex');
  expect(toldContent(facts(digest, 420, '3'), GROWING)?.content).toEqual({
    sizeBytes: 3n,
    digest: { algorithm: 'blake3', value },
  });
  const sparse = toldContent(facts(`sparse:${digest}`, 420, '-5', '3'), {
    ...GROWING,
    names: new Set(['mode', 'mtime']),
  });
  expect(sparse?.content).toEqual({ sizeBytes: 3n, mtimeNs: -5n, digest: { algorithm: 'sparse', value } });
  const broken = [facts(), facts(digest, 420), facts(digest, 420, 3), facts(digest, 420, ''), facts(null, 420, '3')];
  for (const print of ['', 'null', '{}', '[]', facts('ab', 420, '3'), ...broken])
    expect(toldContent(print, GROWING)).toBeUndefined();
  expect(toldContent(facts(digest, 420, '3'), { ...GROWING, growing: false })).toBeUndefined();
});
