// Every errno that the two calls can be made to give here, and what is said about it.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fan from 'driftline/fanotify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { Scratch } from './scratch.ts';

let scratch: Scratch;

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
});

afterEach(() => {
  scratch?.[Symbol.dispose]();
});

const path = fan.pathFromText;
const IDS = fan.FAN_REPORT_FID;
const NAMES = fan.FAN_REPORT_DFID_NAME;
const FILESYSTEM = fan.FAN_MARK_FILESYSTEM;
const MOUNT = fan.FAN_MARK_MOUNT;
const INODE = fan.FAN_MARK_INODE;

function failureOf(call: () => unknown): fan.SystemError {
  try {
    call();
  } catch (error) {
    if (error instanceof fan.SystemError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

function markFailure(groupFlags: number, flags: number, mask: number, target: string | number): fan.SystemError {
  using group = fan.FanotifyGroup.open({ flags: groupFlags });
  return failureOf(() => group.mark(flags, mask, typeof target === 'number' ? target : path(target)));
}

describe('fanotify_init', () => {
  test.each([
    ['FAN_REPORT_NAME', 0, /needs FAN_REPORT_DIR_FID$/],
    ['FAN_REPORT_DFID_NAME|FAN_REPORT_TARGET_FID', 0, /^FAN_REPORT_TARGET_FID needs/],
    ['FAN_CLASS_CONTENT|FAN_CLASS_PRE_CONTENT', 0, /exclude each other$/],
    ['FAN_CLASS_CONTENT|FAN_REPORT_FID', 0, /permission classes have no file ids/],
    ['FAN_CLASS_PRE_CONTENT|FAN_REPORT_DFID_NAME', 0, /permission classes have no file ids/],
    ['FAN_REPORT_FID|FAN_REPORT_PIDFD|FAN_REPORT_TID', 0, /exclude each other before Linux 7.2$/],
    ['FAN_REPORT_MNT|FAN_CLASS_CONTENT', 0, /FAN_CLASS_NOTIF only/],
    ['FAN_REPORT_MNT|FAN_REPORT_FID', 0, /neither file ids/],
    ['FAN_REPORT_MNT|FAN_REPORT_FD_ERROR', 0, /FAN_REPORT_FD_ERROR$/],
    ['FAN_REPORT_FID|0x8000', 0, /lacks one of FAN_REPORT_FID\|0x8000/],
    ['FAN_REPORT_FID|0x10000', 0, /lacks one of/],
    ['FAN_CLASS_NOTIF', 3, /one access mode/],
    ['FAN_CLASS_NOTIF', 0o100, /event flags may hold/],
    ['FAN_CLASS_NOTIF', 0o1000, /event flags may hold/],
  ])('%s with event flags %i', (flags, eventFlags, hint) => {
    const error = failureOf(() => fan.FanotifyGroup.open({ flags: fan.initFlagsFromString(flags), eventFlags }));
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'fanotify_init', hint: expect.stringMatching(hint) });
    for (const flag of flags.split('|').filter((name) => name !== 'FAN_CLASS_NOTIF'))
      expect(fan.initFlagsFromString(error.flags?.split(', ')[0] ?? '')).toSatisfy(
        (bits: number) => (bits & fan.initFlagsFromString(flag)) !== 0,
      );
  });

  test('too many groups', () => {
    const groups: fan.FanotifyGroup[] = [];
    const most = fan.probe().limits['max_user_groups'] ?? Number.NaN;
    try {
      const error = failureOf(() => {
        while (groups.length <= most) groups.push(fan.FanotifyGroup.open({ flags: IDS }));
      });
      expect(error).toMatchObject({ code: 'EMFILE', hint: expect.stringContaining('max_user_groups') });
    } finally {
      for (const group of groups) group.close();
    }
  });
});

describe('fanotify_mark: combinations', () => {
  test.each<[string, number, number, number, RegExp]>([
    ['an empty mask', IDS, INODE, 0, /mask is empty/],
    ['an empty mask to remove', IDS, fan.FAN_MARK_REMOVE, 0, /mask is empty/],
    ['two commands', IDS, fan.FAN_MARK_ADD | fan.FAN_MARK_REMOVE, fan.FAN_OPEN, /exactly one of/],
    ['a flag of the future', IDS, 0x800, fan.FAN_OPEN, /no kernel up to/],
    ['a flush with more', IDS, fan.FAN_MARK_FLUSH | fan.FAN_MARK_ONLYDIR, 0, /FAN_MARK_FLUSH goes with/],
    ['an event that is output only', IDS, INODE, fan.FAN_Q_OVERFLOW, /cannot be asked for/],
    ['an unknown event', IDS, INODE, 0x80000, /cannot be asked for/],
    ['an event beyond 32 bits', IDS, INODE, 2 ** 40, /cannot be asked for/],
    ['both kinds of ignore mask', IDS, fan.FAN_MARK_IGNORE | fan.FAN_MARK_IGNORED_MASK, fan.FAN_OPEN, /exclude each/],
    ['a rename without names', IDS, INODE, fan.FAN_RENAME, /FAN_REPORT_NAME/],
    ['a rename with directories only', fan.FAN_REPORT_DIR_FID, INODE, fan.FAN_RENAME, /FAN_REPORT_NAME/],
    ['attributes of a mount', IDS, MOUNT, fan.FAN_ATTRIB, /a mount mark sees only/],
    ['creation in a mount', NAMES, MOUNT, fan.FAN_CREATE, /a mount mark sees only/],
    ['attributes without ids', 0, INODE, fan.FAN_ATTRIB, /need a group with file ids/],
    ['deletion without ids', 0, INODE, fan.FAN_DELETE_SELF, /need a group with file ids/],
    ['filesystem errors without ids', 0, FILESYSTEM, fan.FAN_FS_ERROR, /need a group with file ids/],
    ['filesystem errors of an inode', IDS, INODE, fan.FAN_FS_ERROR, /needs FAN_MARK_FILESYSTEM/],
    ['filesystem errors of a mount', IDS, MOUNT, fan.FAN_FS_ERROR, /needs FAN_MARK_FILESYSTEM/],
    ['questions without their class', 0, INODE, fan.FAN_OPEN_PERM, /FAN_CLASS_CONTENT or/],
    ['the wrong class', fan.FAN_CLASS_CONTENT, INODE, fan.FAN_PRE_ACCESS, /FAN_CLASS_PRE_CONTENT group/],
    [
      'directories before access',
      fan.FAN_CLASS_PRE_CONTENT,
      INODE,
      fan.FAN_PRE_ACCESS | fan.FAN_ONDIR,
      /not go with FAN_ONDIR/,
    ],
    ['an evictable filesystem', IDS, FILESYSTEM | fan.FAN_MARK_EVICTABLE, fan.FAN_OPEN, /for inode marks/],
    ['an evictable mount', IDS, MOUNT | fan.FAN_MARK_EVICTABLE, fan.FAN_OPEN, /for inode marks/],
    [
      'a filesystem ignored for a while',
      IDS,
      FILESYSTEM | fan.FAN_MARK_IGNORE,
      fan.FAN_OPEN,
      /needs FAN_MARK_IGNORED_/,
    ],
    ['mount events in another group', IDS, fan.FAN_MARK_MNTNS, fan.FAN_MNT_ATTACH, /FAN_REPORT_MNT group/],
    ['mount events of an inode', fan.FAN_REPORT_MNT, INODE, fan.FAN_MNT_ATTACH, /FAN_REPORT_MNT group/],
    ['opens in a mount group', fan.FAN_REPORT_MNT, fan.FAN_MARK_MNTNS, fan.FAN_OPEN, /FAN_MNT_ATTACH and/],
  ])('%s: EINVAL', (_, groupFlags, flags, mask, hint) => {
    const error = markFailure(groupFlags, flags, mask, scratch.dir);
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'fanotify_mark', hint: expect.stringMatching(hint) });
    expect(error.path).toBe(scratch.dir);
    expect(error.flags).toContain(fan.maskToString(mask));
  });

  test('what looks empty is allowed: FAN_ONDIR alone, a flush without a path', () => {
    using group = fan.FanotifyGroup.open({ flags: IDS });
    group.mark(INODE, fan.FAN_ONDIR, path(scratch.dir));
    group.mark(INODE, fan.FAN_EVENT_ON_CHILD, path(scratch.dir));
    group.flush(FILESYSTEM);
    expect(group.marks()).toHaveLength(1);
  });
});

describe('fanotify_mark: objects', () => {
  test('no object, no mark', () => {
    const root = scratch.tmpfs('fs');
    expect(markFailure(IDS, INODE, fan.FAN_OPEN, `${root}/none`)).toMatchObject({
      code: 'ENOENT',
      hint: 'there is no such object',
    });
    expect(markFailure(IDS, fan.FAN_MARK_REMOVE, fan.FAN_OPEN, root)).toMatchObject({
      code: 'ENOENT',
      hint: expect.stringContaining('it has no mark'),
    });
    expect(markFailure(IDS, INODE, fan.FAN_OPEN, 9999)).toMatchObject({ code: 'EBADF', path: undefined });
  });

  test('a file where a directory is needed', () => {
    const file = `${scratch.tmpfs('fs')}/file`;
    writeFileSync(file, '');
    const hint = expect.stringContaining('need a directory');
    expect(markFailure(IDS, fan.FAN_MARK_ONLYDIR, fan.FAN_OPEN, file)).toMatchObject({ code: 'ENOTDIR', hint });
    const target = fan.FAN_REPORT_DFID_NAME_TARGET;
    expect(markFailure(target, INODE, fan.FAN_CREATE, file)).toMatchObject({ code: 'ENOTDIR', hint });
    using group = fan.FanotifyGroup.open({ flags: IDS });
    group.mark(INODE, fan.FAN_CREATE, path(file));
    expect(group.marks()).toHaveLength(1);
  });

  test('ignore marks that do not fit what is there', () => {
    const root = scratch.tmpfs('fs');
    expect(markFailure(IDS, fan.FAN_MARK_IGNORE, fan.FAN_OPEN, root)).toMatchObject({
      code: 'EISDIR',
      hint: expect.stringContaining('FAN_MARK_IGNORE_SURV'),
    });
    using group = fan.FanotifyGroup.open({ flags: IDS });
    group.mark(fan.FAN_MARK_IGNORE_SURV, fan.FAN_OPEN, path(root));
    const legacy = failureOf(() => group.mark(fan.FAN_MARK_IGNORED_MASK, fan.FAN_OPEN, path(root)));
    expect(legacy).toMatchObject({ code: 'EEXIST', hint: expect.stringContaining('would weaken') });
    mkdirSync(`${root}/dir`);
    group.mark(INODE, fan.FAN_OPEN, path(`${root}/dir`));
    const weaker = failureOf(() => group.mark(fan.FAN_MARK_EVICTABLE, fan.FAN_OPEN, path(`${root}/dir`)));
    expect(weaker).toMatchObject({ code: 'EEXIST', hint: expect.stringContaining('not evictable') });
  });

  test.each(['/proc', '/sys'])('%s has no file handles', (at) => {
    expect(markFailure(IDS, FILESYSTEM, fan.FAN_OPEN, at)).toMatchObject({
      code: 'EOPNOTSUPP',
      hint: expect.stringContaining('no file handles'),
    });
    expect(fan.probePath(path(at))).toMatchObject({
      filesystem: { supported: false, code: 'EOPNOTSUPP', hint: expect.stringContaining('no file handles') },
      mount: { supported: false, code: 'EOPNOTSUPP' },
      inode: { supported: true, code: undefined, hint: undefined },
      descriptors: { supported: true },
    });
  });

  test('questions about procfs, and before the accesses of tmpfs', () => {
    expect(markFailure(fan.FAN_CLASS_CONTENT, INODE, fan.FAN_OPEN_PERM, '/proc/version')).toMatchObject({
      code: 'EINVAL',
      hint: expect.stringContaining('procfs'),
    });
    expect(markFailure(fan.FAN_CLASS_PRE_CONTENT, INODE, fan.FAN_PRE_ACCESS, scratch.tmpfs('fs'))).toMatchObject({
      code: 'EOPNOTSUPP',
      hint: expect.stringContaining('ext4, xfs and btrfs'),
    });
  });

  test('a pipe has no mount', async () => {
    const shell = spawn('bash', ['-c', 'exec 3< <(:); echo ready; read -r'], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(shell.stdout, 'data');
      const pipe = `/proc/${shell.pid}/fd/3`;
      for (const type of [MOUNT, FILESYSTEM])
        expect(markFailure(0, type, fan.FAN_ACCESS, pipe)).toMatchObject({
          code: 'EINVAL',
          hint: expect.stringContaining('without mounts (pipe, socket, memfd)'),
        });
      using group = fan.FanotifyGroup.open({ flags: fan.FAN_CLASS_NOTIF });
      group.mark(INODE, fan.FAN_ACCESS, path(pipe));
      expect(group.marks()).toHaveLength(1);
    } finally {
      shell.kill();
    }
  });

  test('more marks than the user may have', () => {
    const limit = '/proc/sys/fs/fanotify/max_user_marks';
    const before = readFileSync(limit, 'utf8');
    const root = scratch.tmpfs('fs');
    for (let index = 0; index < 3; index += 1) writeFileSync(`${root}/f${index}`, '');
    using group = fan.FanotifyGroup.open({ flags: IDS });
    try {
      group.mark(INODE, fan.FAN_OPEN, path(root));
      writeFileSync(limit, '1');
      const error = failureOf(() => group.mark(INODE, fan.FAN_OPEN, path(`${root}/f0`)));
      expect(error).toMatchObject({ code: 'ENOSPC', hint: expect.stringContaining('max_user_marks') });
      using unlimited = fan.FanotifyGroup.open({ flags: IDS | fan.FAN_UNLIMITED_MARKS });
      unlimited.mark(INODE, fan.FAN_OPEN, path(`${root}/f0`));
    } finally {
      writeFileSync(limit, before);
    }
  });
});

describe('without capabilities', () => {
  /** Runs a program as nobody; it prints JSON. */
  function asNobody(body: string): unknown {
    const program = `
      import * as fan from ${JSON.stringify(join(import.meta.dirname, '../../dist/fanotify/index.js'))};
      const attempt = (call) => { try { call(); return 'ok'; } catch (error) { return [error.code, error.hint]; } };
      console.log(JSON.stringify(${body}));`;
    const args = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '--input-type=module', '-e'];
    const ran = spawnSync('setpriv', [...args, program], { encoding: 'utf8', cwd: '/' });
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    return JSON.parse(ran.stdout);
  }

  test('groups name the flag, marks the capability', () => {
    const open = (flags: number): string => `attempt(() => fan.FanotifyGroup.open({ flags: ${flags} }).close())`;
    const mark = (flags: number, target: string): string =>
      `attempt(() => fan.FanotifyGroup.open({ flags: ${IDS} }).mark(${flags}, ${fan.FAN_OPEN}, '${target}'))`;
    const PIDFD = IDS | fan.FAN_REPORT_PIDFD;
    const calls = [open(0), open(PIDFD), open(IDS | fan.FAN_ENABLE_AUDIT), open(IDS), mark(FILESYSTEM, '/tmp')];
    expect(asNobody(`[${[...calls, mark(INODE, '/etc/shadow'), mark(INODE, '/tmp')].join(', ')}]`)).toEqual([
      ['EPERM', expect.stringContaining('needs FAN_REPORT_FID or FAN_REPORT_MNT')],
      ['EPERM', expect.stringContaining('FAN_REPORT_PIDFD needs it')],
      ['EPERM', expect.stringContaining('CAP_AUDIT_WRITE')],
      'ok',
      ['EPERM', expect.stringContaining('CAP_SYS_ADMIN')],
      ['EACCES', expect.stringContaining('CAP_DAC_READ_SEARCH')],
      'ok',
    ]);
  });

  test('probe() tells the same, and paths are refused by name', () => {
    const probe = asNobody('fan.probe()') as fan.Probe;
    const privileged = Object.keys(probe.initFlags).filter((name) => probe.initFlags[name]?.code === 'EPERM');
    expect(privileged.sort()).toEqual(
      [
        'FAN_CLASS_NOTIF',
        'FAN_CLASS_CONTENT',
        'FAN_CLASS_PRE_CONTENT',
        'FAN_UNLIMITED_QUEUE',
        'FAN_UNLIMITED_MARKS',
        'FAN_ENABLE_AUDIT',
        'FAN_REPORT_PIDFD',
        'FAN_REPORT_TID',
        'FAN_REPORT_FD_ERROR',
      ].sort(),
    );
    expect(probe.markFlags).toMatchObject({
      FAN_MARK_INODE: { supported: true },
      FAN_MARK_MOUNT: { supported: false, code: 'EPERM' },
      FAN_MARK_FILESYSTEM: { supported: false, code: 'EPERM' },
    });
    expect(probe.openByHandle).toEqual({ supported: false, code: 'EPERM' });
    const file = scratch.tmpfs('fs');
    execFileSync('chmod', ['755', scratch.dir, file]);
    expect(
      asNobody(`(() => {
        const group = fan.FanotifyGroup.open({ flags: ${NAMES} });
        group.mark(0, ${fan.FAN_OPEN | fan.FAN_ONDIR}, '${file}');
        process.getBuiltinModule('node:fs').readdirSync('${file}');
        const resolver = new fan.PathResolver(['${file}']);
        return attempt(() => resolver.resolve(group.read()[0]));
      })()`),
    ).toEqual(['EPERM', expect.stringContaining('CAP_DAC_READ_SEARCH')]);
  });
});

function openGroups(): number {
  return readdirSync('/proc/self/fdinfo').filter((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').includes('fanotify flags:');
    } catch {
      // The descriptor of the listing itself.
      return false;
    }
  }).length;
}

test('probe(): on this kernel root can do everything, and nothing is left behind', () => {
  const before = openGroups();
  const { initFlags, markFlags, events, responses, openByHandle, limits } = fan.probe();
  const all = { ...initFlags, ...markFlags, ...events, ...responses, openByHandle };
  const unsupported = Object.entries(all).filter(([, { supported }]) => !supported);
  expect(unsupported).toEqual([]);
  expect(Object.keys(all).length).toBeGreaterThan(45);
  expect(limits['max_queued_events']).toBe(Number(readFileSync('/proc/sys/fs/fanotify/max_queued_events', 'utf8')));
  expect(openGroups()).toBe(before);
});
