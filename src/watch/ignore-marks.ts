// Ignored directories cost nothing: the kernel drops their events before they are queued; those that a path names from the
// start, others (a mere name, a wildcard, an exclusion) when much happens in them. A load measure only; what is ignored is
// decided by the scope, so these marks may vanish (they are evictable) or come late.
import { lstatSync } from 'node:fs';
import { errorCode, errorMessage } from '../domain/errors.ts';
import { compilePatterns } from '../domain/glob.ts';
import { type BytePath, isWithin, joinPath, lineage, nameOf, pathFromText, pathToBytes } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import * as abi from '../fanotify/abi.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import type { MountTable } from '../fanotify/mounts.ts';
import { Heat } from './heat.ts';
import { aliasesOf, concerns } from './mount-plan.ts';
import { directoriesIn, withDirectory } from './safe-directory.ts';

/**
 * Events on the files of a directory. Never FAN_RENAME, which would be swallowed for the other side as well; without
 * FAN_ONDIR (FAN_MARK_IGNORE honours it), so that new subdirectories are heard of and marked in turn.
 */
const IGNORED =
  abi.FAN_MODIFY | abi.FAN_CLOSE_WRITE | abi.FAN_ATTRIB | abi.FAN_CREATE | abi.FAN_DELETE | abi.FAN_EVENT_ON_CHILD;

const PLACE = abi.FAN_MARK_INODE | abi.FAN_MARK_ONLYDIR;
/** Linux 6.0. */
const IGNORE = PLACE | abi.FAN_MARK_IGNORE_SURV | abi.FAN_MARK_EVICTABLE;
const IGNORE_LEGACY = PLACE | abi.FAN_MARK_IGNORED_MASK | abi.FAN_MARK_IGNORED_SURV_MODIFY;

/** About half of the default of fs.fanotify.max_user_marks on a machine of 16 GiB. */
const MARKS_MAX = 65_536;
/** Directories that were found to be busy. */
const FOUND_MAX = 1_024;
/** When all marks are used, most of them may be of directories that are gone. */
const RENEW_MS = 60_000;

export interface IgnoreMarksOptions {
  readonly scope: Scope;
  readonly ignore: readonly string[];
  readonly table: () => MountTable;
  /** The group whose filesystem mark reports what happens on a device. */
  readonly groupOf: (device: string) => FanotifyGroup | undefined;
}

export class IgnoreMarks {
  readonly #options: IgnoreMarksOptions;
  readonly #plain: readonly BytePath[];
  /** Whether directories are left out that no plain path names. */
  readonly #hasOthers: boolean;
  readonly #found = new Set<BytePath>();
  #heat = new Heat();
  #queue: BytePath[];
  #flags = IGNORE;
  #left = MARKS_MAX;
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(options: IgnoreMarksOptions) {
    const { scope, ignore } = options;
    this.#options = options;
    this.#plain = ignore.flatMap((pattern) => plainDirectory(pattern) ?? []);
    this.#hasOthers = ignore.length > this.#plain.length || scope.rules.some(({ exclude }) => exclude.length > 0);
    this.#queue = [...this.#plain];
  }

  /** Something happened in a directory that no rule covers, whatever name it has. */
  happened(dir: BytePath, nowMs: number): void {
    if (!this.#hasOthers || !this.#heat.add(dir, nowMs)) return;
    const why = this.#options.scope.explain(dir);
    if (why.kind !== 'excluded') return;
    // The directory alone, if its mark was evicted.
    this.#push(this.#found.has(why.at) ? dir : why.at);
    const [oldest] = this.#found.size < FOUND_MAX ? [] : this.#found;
    if (oldest !== undefined) this.#found.delete(oldest);
    this.#found.add(why.at);
  }

  /** A directory appeared (or moved here). */
  appeared(path: BytePath): void {
    if (this.#isBelow(path)) this.#push(path);
  }

  #isBelow(path: BytePath): boolean {
    if (this.#plain.some((base) => isWithin(path, base))) return true;
    return this.#found.size > 0 && lineage(path).some((dir) => this.#found.has(dir));
  }

  #push(dir: BytePath): void {
    if (this.#left > 0) this.#queue.push(dir);
  }

  /** A directory moved to where it is not ignored: what it and those below were marked with would go on hiding them. */
  moved(path: BytePath): void {
    const isMarked = this.#left < MARKS_MAX;
    if (!isMarked || this.#isBelow(path) || !concerns(this.#options.scope, path)) return;
    const group = this.#groupOf(path);
    const queue = group === undefined ? [] : [path];
    for (let dir = queue.pop(); dir !== undefined; dir = queue.pop()) {
      const at = dir;
      withDirectory(at, (fd) => {
        this.#unmark(group, fd);
        for (const name of directoriesIn(fd)) queue.push(joinPath(at, name));
      });
    }
  }

  #groupOf(path: BytePath): FanotifyGroup | undefined {
    const { table, groupOf } = this.#options;
    return groupOf(table().mountAt(path)?.device ?? '');
  }

  #unmark(group: FanotifyGroup | undefined, fd: number): void {
    try {
      group?.unmark(this.#flags & ~abi.FAN_MARK_EVICTABLE, IGNORED, pathOfDescriptor(fd));
      this.#left += 1;
    } catch (error) {
      // ENOENT: it never had one, or it was evicted. Others: it was never ours to mark.
      if (errorCode(error) === undefined) throw error;
    }
  }

  /** Whether there are marks that may hide something by now: events were lost, or something was mounted. */
  get isInUse(): boolean {
    return this.#left < MARKS_MAX;
  }

  /** There are no marks left, and there were not for a while: they should be removed, and then set where they are of use. */
  isSpent(nowMs: number): boolean {
    return this.#left <= 0 && nowMs - this.#renewedMs > RENEW_MS;
  }

  /** All marks were removed. */
  renew(nowMs: number): void {
    this.#renewedMs = nowMs;
    this.#left = MARKS_MAX;
    this.#found.clear();
    this.#heat = new Heat();
    this.#queue = [...this.#plain];
  }

  /** Works off up to `budget` directories; returns whether there is more to do. Throws SystemError when marks run out. */
  step(budget: number): boolean {
    for (let count = 0; count < budget && this.#left > 0; count += 1) {
      const dir = this.#queue.pop();
      if (dir === undefined) return false;
      withDirectory(dir, (fd) => this.#ignore(dir, fd));
    }
    if (this.#left <= 0) this.#queue = [];
    return this.#queue.length > 0;
  }

  #ignore(dir: BytePath, fd: number): void {
    const { scope, table } = this.#options;
    const group = this.#groupOf(dir);
    // The mark is on the directory, whichever mount it is seen through.
    if (group === undefined || aliasesOf(table(), dir).some((alias) => concerns(scope, alias))) return;
    // A rule that names something inside is stronger than the ignored directory around it.
    if (!scope.roots.some((root) => isWithin(root, dir))) this.#mark(group, fd);
    const mount = table().mountAt(dir);
    for (const name of directoriesIn(fd)) {
      const path = joinPath(dir, name);
      if (table().mountAt(path)?.id === mount?.id && !scope.roots.includes(path)) this.#push(path);
    }
  }

  #mark(group: FanotifyGroup, fd: number): void {
    try {
      group.mark(this.#flags, IGNORED, pathOfDescriptor(fd));
      this.#left -= 1;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EINVAL' && this.#flags === IGNORE) {
        this.#flags = IGNORE_LEGACY;
        this.#mark(group, fd);
      } else if (code === 'ENOSPC' || code === 'ENOMEM') {
        this.#left = 0;
        throw error;
      }
      // Anything else: the events come and the scope drops them.
    }
  }
}

/** fanotify_mark(2) refuses descriptors of O_PATH; their links in /proc lead to the very object. */
function pathOfDescriptor(fd: number): BytePath {
  return pathFromText(`/proc/self/fd/${fd}`);
}

/** The directory that a pattern without wildcards names, if the pattern still matches it as it stands. */
function plainDirectory(pattern: string): BytePath | undefined {
  const path = pathFromText(pattern.length > 1 && pattern.endsWith('/') ? pattern.slice(0, -1) : pattern);
  if (!path.startsWith('/') || compilePatterns([pattern])(path, nameOf(path)) === undefined) return undefined;
  return isDirectory(path) ? path : undefined;
}

function isDirectory(path: BytePath): boolean {
  try {
    return lstatSync(pathToBytes(path)).isDirectory();
  } catch {
    // Others may own a directory above it and provoke any errno: nothing to mark.
    return false;
  }
}

export function ignoreProblem(error: unknown): string {
  return `ignored directories are filtered without the kernel's help from here on: ${errorMessage(error)}`;
}
