// Sees programs start: FAN_OPEN_EXEC names the executable, and the first open of the loader's cache tells when the new
// command line can be read (a dynamic program does that right after execve(2)).
import { SystemError } from '../../domain/errors.ts';
import { type BytePath, pathFromText } from '../../domain/path.ts';
import { closeFd, pathOfFd } from '../../libc/handle.ts';
import {
  FAN_CLASS_CONTENT,
  FAN_MARK_FILESYSTEM,
  FAN_MARK_INODE,
  FAN_OPEN,
  FAN_OPEN_EXEC,
  FAN_REPORT_FD_ERROR,
} from '../abi.ts';
import { openFdGroup } from '../fd-group.ts';
import type { FanotifyGroup } from '../group.ts';
import type { Mount, MountTable } from '../mounts.ts';
import type { StartSink } from './start-watch.ts';

const LOADER_CACHE: BytePath = pathFromText('/etc/ld.so.cache');

/** Filesystems of the kernel's own that hold no programs. */
const WITHOUT_PROGRAMS = new Set(
  'proc sysfs devpts cgroup cgroup2 mqueue debugfs tracefs securityfs configfs pstore bpf autofs binfmt_misc fusectl hugetlbfs nsfs efivarfs rpc_pipefs'.split(
    ' ',
  ),
);

export function mayHoldPrograms({ type }: Mount): boolean {
  return !WITHOUT_PROGRAMS.has(type);
}

/** Owns the second group. Descriptors in it pin their mount until the event is read: drain often. */
export class ExecWatch {
  readonly #group: FanotifyGroup;
  readonly #devices = new Set<string>();

  /** Throws SystemError when the kernel allows no such group. */
  constructor() {
    // Of groups that hear of one exec the kernel tells those of this class first (fanotify_init(2)): whoever reads the start
    // of a program in another queue finds it here.
    this.#group = openFdGroup(FAN_CLASS_CONTENT | FAN_REPORT_FD_ERROR);
    this.markLoaderCache();
  }

  get fd(): number {
    return this.#group.fd;
  }

  /** Marks every filesystem that may hold programs; those that came since, when called again. */
  markFilesystems(table: MountTable): void {
    const present = new Set(table.mounts.map(({ device }) => device));
    for (const device of this.#devices) if (!present.has(device)) this.#devices.delete(device);
    for (const mount of table.mounts) {
      if (this.#devices.has(mount.device) || !mayHoldPrograms(mount) || !table.isVisible(mount)) continue;
      this.#devices.add(mount.device);
      this.#tryMark(FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC, mount.mountPoint);
    }
  }

  /** ldconfig(8) replaces the file, and the mark goes with the old inode: call again from time to time. */
  markLoaderCache(): void {
    this.#tryMark(FAN_MARK_INODE, FAN_OPEN, LOADER_CACHE);
  }

  #tryMark(flags: number, mask: number, path: BytePath): void {
    try {
      this.#group.mark(flags, mask, path);
    } catch (error) {
      // Programs of this filesystem are then looked up in /proc when their event is read.
      if (!(error instanceof SystemError)) throw error;
    }
  }

  /** Reads all that is queued and tells `actors`. */
  drain(actors: StartSink, nowMs: number): void {
    for (let events = this.#group.read(); events.length > 0; events = this.#group.read()) {
      for (const { mask, fd, pid } of events) {
        const isOther = pid > 0 && pid !== process.pid;
        const isExec = (mask & FAN_OPEN_EXEC) !== 0;
        if (isOther && !isExec) actors.loading(pid);
        const exe = fd >= 0 && isOther && isExec ? pathOfFd(fd) : undefined;
        if (fd >= 0) closeFd(fd);
        if (exe !== undefined) actors.execed(pid, exe);
      }
    }
    actors.settle(nowMs);
  }

  close(): void {
    this.#group.close();
  }
}
