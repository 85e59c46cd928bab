// What each kind of change reports, on every filesystem alike.
import { libaioWrite, renameat2 } from './system-calls.ts';

export interface Change {
  /** Shell scripts, run in a directory of their own; what `before` does is not reported. */
  readonly before?: string;
  readonly run: string;
  /** What a filesystem mark of a group with file ids, names and target ids says (`linesOf`). */
  readonly ids: readonly string[];
  /** What a mount mark on FAN_MODIFY and FAN_CLOSE_WRITE says; default: nothing. */
  readonly mount?: readonly string[];
  /** The same events of a filesystem mark, by descriptor. */
  readonly descriptors?: readonly string[];
  /** Only on these; default: everywhere. */
  readonly on?: readonly string[];
}

const WRITTEN = "MODIFY|CLOSE_WRITE 'f' F";
const CLOSED = "CLOSE_WRITE 'f' F";
const FILE = 'echo content > f';
/** All three groups see the write. */
const EVERYWHERE = { ids: [WRITTEN], mount: [WRITTEN], descriptors: ['MODIFY|CLOSE_WRITE f'] };
/** A change without a path: the mount and the descriptor know only of the close (fanotify_mark(2), FAN_MARK_MOUNT). */
const PATHLESS = { ids: [WRITTEN], mount: [CLOSED], descriptors: ['CLOSE_WRITE f'] };
const ONLY_CLOSED = { ids: [CLOSED], mount: [CLOSED], descriptors: ['CLOSE_WRITE f'] };
const ATTRIB = { before: FILE, ids: ["ATTRIB 'f' F"] };

/** libuv takes io_uring for asynchronous calls when told so (its threading guide); the ring shows that it did. */
const URING_WRITE = `UV_USE_IO_URING=1 ${process.execPath} -e '
  const fs = require("node:fs");
  const fd = fs.openSync("f", "r+");
  fs.write(fd, "uring", (error) => {
    if (error) throw error;
    const rings = fs.readdirSync("/proc/self/fd").filter((each) => {
      try { return fs.readlinkSync("/proc/self/fd/" + each).includes("io_uring"); } catch { return false; }
    });
    if (rings.length === 0) throw new Error("no ring");
    fs.closeSync(fd);
  });'`;

export const CATALOGUE: Readonly<Record<string, Change>> = {
  'create, nothing written': { run: ': > f', ...ONLY_CLOSED, ids: ["CLOSE_WRITE|CREATE 'f' F"] },
  'open for both, nothing written': { before: FILE, run: 'exec 3<>f; exec 3>&-', ...ONLY_CLOSED },
  'write, then SIGKILL': { before: FILE, run: `bash -c 'exec 3>>f; echo x >&3; kill -9 $$' || true`, ...EVERYWHERE },
  'O_TRUNC and close': { before: FILE, run: ': > f', ...PATHLESS },
  'truncate(2)': { before: FILE, run: `perl -e 'truncate("f", 1) or die $!'`, ids: ["MODIFY 'f' F"] },
  'ftruncate(2) and close': { before: FILE, run: 'truncate -s 1 f', ...PATHLESS },
  'fallocate(2)': { before: FILE, run: 'fallocate -l 8192 f', ...EVERYWHERE },
  FALLOC_FL_PUNCH_HOLE: { before: 'fallocate -l 8192 f', run: 'fallocate -p -o 0 -l 4096 f', ...EVERYWHERE },
  'a shared mapping, msync(2), munmap(2), close': {
    before: 'truncate -s 4096 f',
    run: `xfs_io -c 'mmap -rw 0 4096' -c 'mwrite 0 10' -c 'msync -s' -c munmap f`,
    ...ONLY_CLOSED,
  },
  'copy_file_range(2)': { before: `${FILE}; echo new > g`, run: `xfs_io -c 'copy_range g' f`, ...EVERYWHERE },
  'sendfile(2)': { before: `${FILE}; echo new > g`, run: `xfs_io -c 'sendfile -i g 0 4' f`, ...EVERYWHERE },
  FICLONE: { before: ': > f; echo new > g', run: `xfs_io -c 'reflink g' f`, ...EVERYWHERE, on: ['xfs', 'btrfs'] },
  libaio: { before: FILE, run: libaioWrite('f'), ...ONLY_CLOSED },
  io_uring: { before: FILE, run: URING_WRITE, ...EVERYWHERE },
  O_DIRECT: {
    before: 'fallocate -l 8192 f',
    run: 'dd status=none if=/dev/zero of=f bs=4096 count=1 conv=notrunc oflag=direct',
    ...EVERYWHERE,
  },
  'O_TMPFILE, never linked': {
    run: `xfs_io -T -c 'pwrite -q 0 10' .`,
    ids: ["MODIFY|CLOSE_WRITE '#' F", 'DELETE_SELF F'],
    mount: ["MODIFY|CLOSE_WRITE '#' F"],
    descriptors: ['MODIFY|CLOSE_WRITE # (deleted)'],
  },
  'O_TMPFILE, written, then linked': {
    run: `xfs_io -T -c 'pwrite -q 0 10' -c 'flink linked' .`,
    ids: ["MODIFY|CLOSE_WRITE '#' F", 'ATTRIB F', "CREATE 'linked' F"],
    mount: ["MODIFY|CLOSE_WRITE '#' F"],
    descriptors: ['MODIFY|CLOSE_WRITE # (deleted)'],
  },
  'O_TMPFILE, linked, then written': {
    run: `xfs_io -T -c 'flink linked' -c 'pwrite -q 0 10' .`,
    ids: ['ATTRIB F', "CREATE 'linked' F", "MODIFY|CLOSE_WRITE '#' F"],
    mount: ["MODIFY|CLOSE_WRITE '#' F"],
    descriptors: ['MODIFY|CLOSE_WRITE # (deleted)'],
  },
  'link(2)': { before: FILE, run: 'ln f g', ids: ['ATTRIB F', "CREATE 'g' F"] },
  'write through another link': { before: 'echo > g; ln g f', run: 'echo x >> f', ...EVERYWHERE },
  'unlink(2) of one of two links': { before: `${FILE}; ln f g`, run: 'rm f', ids: ['ATTRIB F', "DELETE 'f' F"] },
  'atomic replacement': {
    before: FILE,
    run: 'echo new > t; mv -f t f',
    ids: [
      "MODIFY|CLOSE_WRITE|MOVED_FROM|CREATE 't' F",
      "RENAME 't'>'f' F",
      "MOVED_TO 'f' F",
      'ATTRIB|DELETE_SELF F',
      'MOVE_SELF F',
    ],
    mount: ["MODIFY|CLOSE_WRITE 't' F"],
    descriptors: ['MODIFY|CLOSE_WRITE f'],
  },
  RENAME_EXCHANGE: {
    before: `${FILE}; echo > g`,
    run: renameat2('f', 'g', 2),
    ids: [
      "RENAME 'f'>'g' F",
      "MOVED_FROM 'f' F",
      "MOVED_TO 'g' F",
      'MOVE_SELF F',
      "RENAME 'g'>'f' F",
      "MOVED_FROM 'g' F",
      "MOVED_TO 'f' F",
      'MOVE_SELF F',
    ],
  },
  RENAME_WHITEOUT: {
    before: FILE,
    run: renameat2('f', 'g', 4),
    ids: ["RENAME 'f'>'g' F", "MOVED_FROM 'f' F", "MOVED_TO 'g' F", 'MOVE_SELF F'],
  },
  'rename(2) to another link of the same': {
    before: `${FILE}; ln f g`,
    run: `perl -e 'rename("f", "g") or die $!; -e "f" or die "gone"'`,
    ids: [],
  },
  'open, rename, write, close': {
    before: 'echo > g',
    run: 'exec 3>>g; mv g f; echo x >&3; exec 3>&-',
    ids: ["RENAME 'g'>'f' F", "MOVED_FROM 'g' F", "MODIFY|CLOSE_WRITE|MOVED_TO 'f' F", 'MOVE_SELF F'],
    mount: [WRITTEN],
    descriptors: ['MODIFY|CLOSE_WRITE f'],
  },
  'open, unlink, write, close': {
    before: FILE,
    run: 'exec 3>>f; rm f; echo x >&3; exec 3>&-',
    ids: ['ATTRIB|DELETE_SELF F', "MODIFY|CLOSE_WRITE|DELETE 'f' F"],
    mount: [WRITTEN],
    descriptors: ['MODIFY|CLOSE_WRITE f (deleted)'],
  },
  'chmod(2)': { ...ATTRIB, run: 'chmod 600 f' },
  'chmod(2) to the same': { ...ATTRIB, run: 'chmod --reference=f f' },
  'chown(2)': { ...ATTRIB, run: 'chown 1:1 f' },
  'both times': { ...ATTRIB, run: 'touch -c -d @0 f' },
  'setxattr(2)': { ...ATTRIB, run: 'setfattr -n trusted.x -v 1 f' },
  'removexattr(2)': { ...ATTRIB, before: `${FILE}; setfattr -n trusted.x -v 1 f`, run: 'setfattr -x trusted.x f' },
  'an ACL': { ...ATTRIB, run: 'setfacl -m u:1:r f' },
  'the modification time alone': { before: FILE, run: 'touch -c -m -d @0 f', ids: ["MODIFY 'f' F"] },
  'the access time alone': { before: FILE, run: 'touch -c -a -d @0 f', ids: ["ACCESS 'f' F"] },
  FS_IOC_SETFLAGS: { before: FILE, run: 'chattr +d f', ids: [] },
  'symlink(2)': { run: 'ln -s nowhere f', ids: ["CREATE 'f' F"] },
  'unlink(2) of a symbolic link': {
    before: 'ln -s nowhere f',
    run: 'rm f',
    ids: ['ATTRIB|DELETE_SELF F', "DELETE 'f' F"],
  },
  'mkfifo(3)': { run: 'mkfifo f', ids: ["CREATE 'f' F"] },
  'bind(2) of a Unix socket': {
    run: `perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "f", Listen => 1) or die $!'`,
    ids: ["CREATE 'f' F"],
  },
  'write into a FIFO': {
    before: 'mkfifo f',
    run: 'exec 3<>f; echo x >&3; exec 3>&-',
    ids: [WRITTEN],
    mount: [WRITTEN],
  },
  'mkdir -p and a file at once': {
    run: 'mkdir -p a/b/c; echo > a/b/c/f',
    ...EVERYWHERE,
    ids: ["CREATE|ONDIR 'a' F", "CREATE|ONDIR 'b' F", "CREATE|ONDIR 'c' F", "MODIFY|CLOSE_WRITE|CREATE 'f' F"],
  },
  'rename(2) of a directory': {
    before: 'mkdir a; echo > a/f',
    run: 'mv a b',
    ids: ["RENAME|ONDIR 'a'>'b' F", "MOVED_FROM|ONDIR 'a' F", "MOVED_TO|ONDIR 'b' F", "MOVE_SELF|ONDIR '.'"],
  },
  'rm -r': {
    before: 'mkdir a; echo > a/f',
    run: 'rm -r a',
    ids: ['ATTRIB|DELETE_SELF F', "DELETE 'f' F", "DELETE_SELF|ONDIR '.'", "DELETE|ONDIR 'a' F"],
  },
  'write by /proc/self/fd': { before: FILE, run: 'exec 3<f; echo x > /proc/self/fd/3; exec 3<&-', ...EVERYWHERE },
  'fsync(2) and close': { before: FILE, run: 'xfs_io -c fsync f', ...ONLY_CLOSED },
  'stat(2), readlink(2), listxattr(2), O_PATH': {
    before: `${FILE}; ln -s f g`,
    run: 'stat f; readlink g; getfattr f',
    ids: [],
  },
};
