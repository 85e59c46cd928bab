import { describe, expect, test } from 'vitest';
import { pathFromText } from '../../../../src/domain/path.ts';
import { FAN_CLOSE_WRITE, FAN_CREATE, FAN_MODIFY, FAN_OPEN } from '../../../../src/fanotify/abi.ts';
import { ClientQueue } from '../../../../src/fanotify/clients/client-queue.ts';
import type { FanotifyItem } from '../../../../src/fanotify/clients/data.ts';
import {
  type Candidate,
  compileRule,
  type FanoRule,
  parseRule,
  plainRule,
} from '../../../../src/fanotify/clients/rules.ts';

const CANDIDATE: Candidate = {
  pid: 7,
  evTypes: FAN_MODIFY | FAN_CLOSE_WRITE,
  exe: '/usr/bin/cp',
  cwd: '/home/a',
  uid: 1000,
  comm: 'cp',
  cgroup: '/user.slice/a.scope',
  paths: ['/srv/a/new', '/srv/b/old'].map(pathFromText),
};
const passes = (rule: FanoRule, change: Partial<Candidate> = {}): boolean =>
  compileRule(plainRule(rule))({ ...CANDIDATE, ...change });

describe('a rule passes', () => {
  test.each<[FanoRule, boolean]>([
    [{ evTypes: FAN_CLOSE_WRITE }, true],
    [{ evTypes: FAN_CLOSE_WRITE | FAN_OPEN }, true],
    [{ evTypes: FAN_CREATE }, false],
    [{ pids: [6, 7] }, true],
    [{ pids: new Set([6]) }, false],
    [{ uids: [0, 1000] }, true],
    [{ uids: [0] }, false],
    [{ pids: [7], uids: [0] }, false],
    [{ exePattern: '/usr/*' }, true],
    [{ exePattern: ['/bin/cp', '/usr/bin/cp'] }, true],
    [{ exePattern: Buffer.from('/usr/bin/c?') }, true],
    [{ exePattern: '/usr/bin/c' }, false],
    [{ cwdPattern: '/home/+([a-z])' }, true],
    [{ pathPattern: '/srv/a/*' }, true],
    [{ pathPattern: '/srv/b/*' }, true],
    [{ pathPattern: '/srv/c/*' }, false],
    [{ pathPattern: '/srv/a/*', exePattern: '*/mv' }, false],
    [{ comm: 'cp', cgroup: '/user.slice/*' }, true],
  ])('%j: %j', (rule, expected) => {
    expect(passes(rule)).toBe(expected);
  });

  test('what is not known matches no pattern and no number, and is no matter where nothing is asked', () => {
    const unknown = { exe: undefined, cwd: undefined, uid: undefined, comm: undefined, cgroup: undefined, paths: [] };
    const anything: FanoRule[] = [
      { exePattern: '*' },
      { cwdPattern: '*' },
      { comm: '*' },
      { cgroup: '*' },
      { pathPattern: '*' },
    ];
    for (const rule of [...anything, { uids: [0] }]) expect(passes(rule, unknown)).toBe(false);
    expect(passes({ evTypes: FAN_MODIFY }, unknown)).toBe(true);
  });

  test('text is matched as the bytes that it is on disk', () => {
    expect(passes({ pathPattern: '*/ä' }, { paths: [pathFromText('/srv/ä')] })).toBe(true);
    expect(passes({ pathPattern: '/srv/?' }, { paths: [pathFromText('/srv/ä')] })).toBe(false);
    expect(passes({ pathPattern: '/srv/??' }, { paths: [pathFromText('/srv/ä')] })).toBe(true);
  });
});

test.each<[unknown, string]>([
  [{}, 'the rule says nothing'],
  [{ name: 'all', passFd: true }, 'the rule says nothing'],
  [{ evTypes: 0.5 }, 'evTypes'],
  [{ pids: [-1] }, 'pids'],
  [{ uids: ['root'] }, 'uids'],
  [{ exePattern: '+('.repeat(40) + ')'.repeat(40) }, 'groups'],
])('%j is refused: %s', (rule, message) => {
  expect(() => plainRule(rule as FanoRule)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
  );
});

test('a rule from elsewhere has to be whole and nothing beside', () => {
  const plain = plainRule({ name: 'a', exePattern: '/x' });
  expect(parseRule(JSON.parse(JSON.stringify(plain)))).toEqual(plain);
  for (const key of Object.keys(plain)) {
    expect(() => parseRule({ ...plain, [key]: undefined })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  }
  expect(() => parseRule({ ...plain, more: 1 })).toThrow('no field "more"');
  expect(() => parseRule({ ...plain, path: ['\u0100'] })).toThrow('bytes');
  expect(() => parseRule(null)).toThrow('object');
});

describe('a queue', () => {
  const item = (pid: number): FanotifyItem => ({
    ...{ kind: 'event', fd: -1, pid, evTypes: 1, exe: undefined, cwd: undefined, path: undefined },
    ...{ oldPath: undefined, uid: undefined, comm: undefined, cgroup: undefined },
  });
  const shown = (items: readonly FanotifyItem[]) =>
    items.map((each) => (each.kind === 'event' ? each.pid : `-${each.lost}`));

  test('gives items in order, tells a gap where it is, and once', () => {
    const queue = new ClientQueue(4);
    for (let pid = 1; pid <= 7; pid += 1) queue.push(item(pid));
    expect(shown(queue.take(1))).toEqual([1]);
    // One place is free, and not yet half of them: the gap goes on.
    queue.push(item(8));
    expect(shown(queue.take(1))).toEqual([2]);
    queue.push(item(9));
    expect(shown(queue.take(10))).toEqual([3, 4, '-4', 9]);
    expect(queue.isEmpty).toBe(true);
  });

  test('tells of a gap when nothing else comes', () => {
    const queue = new ClientQueue(1);
    for (let pid = 1; pid <= 3; pid += 1) queue.push(item(pid));
    expect(shown(queue.take(0))).toEqual([]);
    expect(shown(queue.take(9))).toEqual([1]);
    expect(queue.isEmpty).toBe(false);
    expect(shown(queue.take(9))).toEqual(['-2']);
    expect(queue.isEmpty).toBe(true);
  });
});
