// What kinds of filesystems and objects can be marked, and with which errno the others refuse (fanotify_mark(2)).
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import * as fan from 'driftline/fanotify';
import { beforeEach, describe, expect, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { sh } from './matrix/lines.ts';
import { Scratch } from './scratch.ts';

beforeEach(needCapabilities);

const path = fan.pathFromText;
const IDS = fan.FAN_REPORT_FID;
const DIST = JSON.stringify(new URL('../../dist/fanotify/index.js', import.meta.url).href);

/** `ok` or the errno of each way to mark a place (`probePath`). */
function waysTo(place: string): Record<keyof fan.PathProbe, string> {
  const { filesystem, mount, inode, descriptors } = fan.probePath(path(place));
  const word = ({ code }: fan.Support): string => code ?? 'ok';
  return {
    filesystem: word(filesystem),
    mount: word(mount),
    inode: word(inode),
    descriptors: word(descriptors),
  };
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'ok';
  } catch (error) {
    return error instanceof fan.SystemError ? error.code : String(error);
  }
}

function mark(groupFlags: number, flags: number, mask: number, ...targets: readonly string[]): string {
  using group = fan.FanotifyGroup.open({ flags: groupFlags });
  return codeOf(() => {
    for (const target of targets) group.mark(flags, mask, path(target));
  });
}

function special(scratch: Scratch, type: string): string {
  const at = scratch.tmpfs(type);
  execFileSync('mount', ['-t', type, 'none', at]);
  return at;
}

const ALL_WAYS = { filesystem: 'ok', mount: 'ok', inode: 'ok', descriptors: 'ok' };
const NO_HANDLES = { ...ALL_WAYS, filesystem: 'EOPNOTSUPP', mount: 'EOPNOTSUPP' };
const SUBVOLUME = { ...ALL_WAYS, filesystem: 'EXDEV', mount: 'EXDEV' };

describe('filesystems', () => {
  test.for<[string, (scratch: Scratch) => string, object]>([
    ['tmpfs', (scratch) => scratch.tmpfs('fs'), ALL_WAYS],
    ['ext4', (scratch) => scratch.ext4('fs'), ALL_WAYS],
    ['xfs', (scratch) => scratch.xfs('fs'), ALL_WAYS],
    ['btrfs, top level', (scratch) => scratch.btrfs('fs'), ALL_WAYS],
    ['devtmpfs', () => '/dev', ALL_WAYS],
    ['cgroup2', (scratch) => special(scratch, 'cgroup2'), ALL_WAYS],
    ['nsfs', () => '/proc/self/ns/mnt', ALL_WAYS],
    ['overlayfs with nfs_export', (scratch) => scratch.overlay('fs', ',nfs_export=on,index=on'), ALL_WAYS],
    ['overlayfs', (scratch) => scratch.overlay('fs'), NO_HANDLES],
    ['procfs', () => '/proc', NO_HANDLES],
    ['sysfs', () => '/sys', NO_HANDLES],
    ['devpts', (scratch) => special(scratch, 'devpts'), NO_HANDLES],
    ['debugfs', (scratch) => special(scratch, 'debugfs'), NO_HANDLES],
    ['tracefs', (scratch) => special(scratch, 'tracefs'), NO_HANDLES],
    ['securityfs', (scratch) => special(scratch, 'securityfs'), NO_HANDLES],
    [
      'a btrfs subvolume',
      (scratch) => {
        const top = scratch.btrfs('fs');
        sh(top, 'btrfs -q subvolume create sv');
        return `${top}/sv`;
      },
      SUBVOLUME,
    ],
    [
      'a mount of a btrfs subvolume',
      (scratch) => {
        sh(scratch.btrfs('fs'), 'btrfs -q subvolume create sv');
        return scratch.remount('sv', ['subvol=sv'], 'fs');
      },
      SUBVOLUME,
    ],
  ])('%s', ([, make, expected]) => {
    using scratch = new Scratch();
    expect(waysTo(make(scratch))).toEqual(expected);
  });

  test('inode marks of two btrfs subvolumes, or of one and another filesystem, do not mix', () => {
    using scratch = new Scratch();
    const top = scratch.btrfs('fs');
    sh(top, 'btrfs -q subvolume create a; btrfs -q subvolume create b');
    const two = [`${top}/a`, `${top}/b`];
    expect(mark(IDS, fan.FAN_MARK_INODE, fan.FAN_OPEN, ...two)).toBe('EXDEV');
    expect(mark(IDS, fan.FAN_MARK_INODE, fan.FAN_OPEN, `${top}/a`, scratch.dir)).toBe('EXDEV');
    expect(mark(fan.FAN_CLASS_NOTIF, fan.FAN_MARK_INODE, fan.FAN_OPEN, ...two)).toBe('ok');
  });

  test.for([
    ['ext4', 'ok'],
    ['xfs', 'ok'],
    ['btrfs', 'ok'],
    ['tmpfs', 'EOPNOTSUPP'],
  ] as const)('questions before an access on %s: %s', ([type, expected]) => {
    using scratch = new Scratch();
    const root = scratch[type]('fs');
    expect(mark(fan.FAN_CLASS_PRE_CONTENT, fan.FAN_MARK_INODE, fan.FAN_PRE_ACCESS, root)).toBe(expected);
  });
});

describe('objects', () => {
  test('a socket and a memfd have no mount', async () => {
    // Node's pipes to a child are sockets.
    const numbers: Readonly<Record<string, number>> = { x64: 319, arm64: 279 };
    const program = `my $n = "m"; my $fd = syscall(${numbers[process.arch]}, $n, 0); syswrite STDOUT, $fd; sysread STDIN, $n, 1`;
    const child = spawn('perl', ['-e', program], { stdio: 'pipe' });
    try {
      const [memfd] = (await once(child.stdout, 'data')) as [Buffer];
      for (const fd of ['0', memfd.toString()]) {
        const object = `/proc/${child.pid}/fd/${fd}`;
        expect(mark(0, fan.FAN_MARK_MOUNT, fan.FAN_OPEN, object)).toBe('EINVAL');
        expect(mark(0, fan.FAN_MARK_FILESYSTEM, fan.FAN_OPEN, object)).toBe('EINVAL');
        expect(mark(0, fan.FAN_MARK_INODE, fan.FAN_OPEN, object)).toBe('ok');
      }
    } finally {
      child.kill();
    }
  });

  test('a mark that is there may change when there may be no more', () => {
    using scratch = new Scratch();
    const limit = '/proc/sys/fs/fanotify/max_user_marks';
    const before = readFileSync(limit, 'utf8');
    using group = fan.FanotifyGroup.open({ flags: IDS });
    group.mark(fan.FAN_MARK_INODE, fan.FAN_OPEN, path(scratch.dir));
    try {
      writeFileSync(limit, '0');
      group.mark(fan.FAN_MARK_INODE, fan.FAN_CREATE, path(scratch.dir));
      expect(codeOf(() => group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_OPEN, path(scratch.dir)))).toBe('ENOSPC');
    } finally {
      writeFileSync(limit, before);
    }
  });

  test.for([
    ['a bit between the others', IDS, 0x2000],
    ['an event that was never released', IDS, 0x80000],
    ['entries, by descriptor', fan.FAN_CLASS_NOTIF, fan.FAN_CREATE],
    ['renames, by descriptor', fan.FAN_CLASS_NOTIF, fan.FAN_RENAME],
  ] as const)('%s: EINVAL', ([, flags, mask]) => {
    expect(mark(flags, fan.FAN_MARK_INODE, mask, '/')).toBe('EINVAL');
  });
});

describe('limits and namespaces, in a process of their own', () => {
  /** Runs a module that has `fan` and `codeOf`, after a command; what it prints as JSON. */
  function said(command: readonly string[], body: string, ...args: readonly string[]): unknown {
    const program = `import * as fan from ${DIST}; import { writeFileSync } from 'node:fs';
      const codeOf = (call) => { try { call(); return 'ok'; } catch (error) { return error.code; } };
      console.log(JSON.stringify((() => { ${body} })()));`;
    const [name = '', ...more] = [...command, process.execPath, '--input-type=module', '-e', program, ...args];
    return JSON.parse(execFileSync(name, more, { encoding: 'utf8' }));
  }

  test('a group beyond the limit of open files is EMFILE', () => {
    const body = `const groups = []; let code = 'ok';
      for (; code === 'ok' && groups.length < 100; )
        code = codeOf(() => groups.push(fan.FanotifyGroup.open({ flags: ${IDS} })));
      return [code, groups.length > 0];`;
    expect(said(['prlimit', '--nofile=64:64'], body)).toEqual(['EMFILE', true]);
  });

  test('events whose file cannot be opened are lost, unless FAN_REPORT_FD_ERROR keeps them', () => {
    using scratch = new Scratch();
    const root = scratch.tmpfs('fs');
    const count = (flags: number): unknown => {
      const body = `const group = fan.FanotifyGroup.open({ flags: ${flags} });
        group.mark(${fan.FAN_MARK_FILESYSTEM}, ${fan.FAN_CLOSE_WRITE}, process.argv[1]);
        for (let index = 0; index < 100; index += 1) writeFileSync(process.argv[1] + '/' + index, '');
        const fds = [];
        for (let left = true; left; ) {
          const code = codeOf(() => {
            const events = group.read();
            left = events.length > 0;
            fds.push(...events.map(({ fd }) => fd));
            events.forEach(fan.closeEvent);
          });
          if (code !== 'ok' && code !== 'EMFILE') throw new Error(code);
        }
        return [fds.length, [...new Set(fds.filter((fd) => fd < 0))]];`;
      return said(['prlimit', '--nofile=64:64'], body, root);
    };
    const [plain] = count(fan.FAN_CLASS_NOTIF) as [number];
    expect(plain).toBeLessThan(100);
    expect(count(fan.FAN_REPORT_FD_ERROR)).toEqual([100, [-24]]);
  });

  test('root of a user namespace marks its own filesystems, and no others', () => {
    using scratch = new Scratch();
    const root = scratch.tmpfs('fs');
    const own = `mount -t tmpfs own ${scratch.tmpfs('own')} && exec "$@"`;
    const body = `const mark = (at) => codeOf(() => {
        fan.FanotifyGroup.open({ flags: ${IDS} }).mark(${fan.FAN_MARK_FILESYSTEM}, ${fan.FAN_OPEN}, at);
      });
      return process.argv.slice(1).map(mark);`;
    const command = ['unshare', '-U', '-r', '-m', 'bash', '-ec', own, 'own'];
    expect(said(command, body, `${scratch.dir}/own`, root)).toEqual(['ok', 'EPERM']);
  });
});
