// Marks that the kernel lost, and mounts of which no events come.
import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pathFromText } from '../../src/domain/path.ts';
import { compileScope } from '../../src/domain/rule.ts';
import * as abi from '../../src/fanotify/abi.ts';
import { FanotifyGroup } from '../../src/fanotify/group.ts';
import { fanotifyMark } from '../../src/libc/fanotify.ts';
import { Canaries } from '../../src/watch/canary.ts';
import { Marks } from '../../src/watch/marks.ts';
import { WatchedMounts } from '../../src/watch/watched-mounts.ts';
import { ruleFor, shell } from './probe.ts';
import { probeForEach, scratch, watch } from './probe-for-each.ts';

const AT_FDCWD = -100;

probeForEach();

/** Takes all marks of one type from every group of this process, behind the back of the thread that set them. */
function flushMarks(type: number): void {
  for (const name of readdirSync('/proc/self/fd')) {
    let target = '';
    try {
      target = readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      // The descriptor of the directory that was listed.
    }
    if (target === 'anon_inode:[fanotify]')
      fanotifyMark(Number(name), abi.FAN_MARK_FLUSH | type, 0, AT_FDCWD, undefined);
  }
}

test.each([
  ['filesystem', 'tmpfs', abi.FAN_MARK_FILESYSTEM],
  ['mount', 'tmpfs', abi.FAN_MARK_MOUNT],
  ['inode', 'overlay', abi.FAN_MARK_INODE],
] as const)('lost %s marks: told, set again, and everything below is in doubt', async (_, filesystem, type) => {
  const root = scratch[filesystem]('fs');
  const probe = await watch([root], { verifyMs: 200 });
  const [before] = probe.source.coverage();
  flushMarks(type);
  const events = await probe.waitFor((event) => event.kind === 'dirty' && event.path === root && event.subtree);
  const said = events.filter((event) => event.kind === 'coverage');
  expect(said).toMatchObject([
    { state: 'lost', coverage: { mount: root, mode: 'none', reason: 'the kernel does not have its marks any more' } },
    { state: 'watched', coverage: { mount: root, mode: before?.mode, gaps: 1 } },
  ]);
  expect(probe.source.coverage()).toMatchObject([{ mode: before?.mode, gaps: 1 }]);
  expect(await probe.dirtyAfter(`ln -s x ${root}/link`)).toContain(`${root}/link`);
});

test('what is looked at again and again stays quiet while all is well', async () => {
  const root = scratch.tmpfs('fs');
  const overlay = scratch.overlay('merged');
  await shell(`mkdir -p ${root}/a ${overlay}/a/b`);
  const probe = await watch([root, overlay], { verifyMs: 20 });
  const script = `for i in $(seq 100); do ls ${root} > /dev/null; ls ${overlay} > /dev/null; done; mv ${overlay}/a ${overlay}/c`;
  const events = await probe.run(script);
  expect(events.filter(({ kind }) => kind === 'coverage')).toEqual([]);
  expect(events.flatMap((event) => (event.kind === 'dirty' ? [event.path] : []))).not.toContain(root);
  expect(probe.source.coverage()).toMatchObject([{ gaps: 0 }, { gaps: 0 }]);
});

test('a canary is heard, is no event, and leaves no mark', () => {
  const at = pathFromText(scratch.tmpfs('fs'));
  using group = FanotifyGroup.open({ flags: abi.FAN_REPORT_DFID_NAME_TARGET });
  const canaries = new Canaries();
  canaries.send({ group, at, isMarked: false }, 0);
  expect(group.marks()).toMatchObject([{ kind: 'inode' }]);
  const events = group.read();
  expect(events).toHaveLength(1);
  expect(events.map((event) => canaries.takes(event))).toEqual([true]);
  expect(canaries.takeHeard()).toEqual([at]);
  expect(canaries.takeHeard()).toEqual([]);
  expect(group.marks()).toEqual([]);
  expect(canaries.overdue(Number.MAX_SAFE_INTEGER)).toEqual([]);
});

test('a canary whose event does not come is overdue, once', () => {
  const at = pathFromText(scratch.tmpfs('fs'));
  using group = FanotifyGroup.open({ flags: abi.FAN_REPORT_DFID_NAME_TARGET });
  const canaries = new Canaries();
  canaries.send({ group, at, isMarked: false }, 1_000);
  expect(canaries.overdue(10_999)).toEqual([]);
  expect(canaries.overdue(11_000)).toMatchObject([{ at }]);
  expect(canaries.overdue(11_000)).toEqual([]);
  expect(canaries.takeHeard()).toEqual([]);
});

test('a mount that falls silent is lost coverage until it is heard again', () => {
  const root = pathFromText(scratch.tmpfs('fs'));
  const scope = compileScope({ rules: [ruleFor([root])], ignore: [], own: [] });
  const marks = new Marks('auto', scope);
  try {
    const mounts = new WatchedMounts(scope, marks);
    const reason = 'no event came when its directory was opened';
    const silence = [{ at: root, reason }];
    expect(mounts.silent(silence, 4)).toMatchObject([
      { state: 'lost', coverage: { mode: 'none', sinceMs: 4, gaps: 1 } },
    ]);
    expect(mounts.silent(silence, 4)).toEqual([]);
    expect(mounts.coverage()).toMatchObject([{ mount: root, mode: 'none', reason }]);
    expect(mounts.heard([root], 5)).toMatchObject([
      { state: 'watched', coverage: { mode: 'filesystem', sinceMs: 5, gaps: 1 } },
      { kind: 'dirty', path: root, subtree: true },
    ]);
    expect(mounts.heard([root], 6)).toEqual([]);
    expect(mounts.coverage()).toMatchObject([{ mode: 'filesystem', gaps: 1, reason: undefined }]);
  } finally {
    marks.close();
  }
});
