// Ignored directories cost nothing: the kernel drops their events before they are queued; those that a path names from the
// start, others (a mere name, a wildcard, an exclusion) when much happens in them. A load measure only; what is ignored is
// decided by the scope, so these marks may vanish (they are evictable) or come late.
import { lstatSync } from 'node:fs';
import { errorCode, errorMessage } from '../domain/errors.ts';
import { compilePatterns } from '../domain/glob.ts';
import { type BytePath, isWithin, joinPath, nameOf, pathFromText, pathToBytes } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import * as abi from '../fanotify/abi.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import { Heat } from './heat.ts';
import { subdirectories } from './subdirectories.ts';

/**
 * Events on the files of a directory. Never FAN_RENAME, which would be swallowed for the other side as well; without
 * FAN_ONDIR (FAN_MARK_IGNORE honours it), so that new subdirectories are heard of and marked in turn.
 */
const IGNORED =
  abi.FAN_MODIFY | abi.FAN_CLOSE_WRITE | abi.FAN_ATTRIB | abi.FAN_CREATE | abi.FAN_DELETE | abi.FAN_EVENT_ON_CHILD;

const PLACE = abi.FAN_MARK_INODE | abi.FAN_MARK_ONLYDIR | abi.FAN_MARK_DONT_FOLLOW;
/** Linux 6.0. */
const IGNORE = PLACE | abi.FAN_MARK_IGNORE_SURV | abi.FAN_MARK_EVICTABLE;
const IGNORE_LEGACY = PLACE | abi.FAN_MARK_IGNORED_MASK | abi.FAN_MARK_IGNORED_SURV_MODIFY;

/** About half of the default of fs.fanotify.max_user_marks on a machine of 16 GiB. */
const MARKS_MAX = 65_536;
/** Directories that were found to be busy. */
const FOUND_MAX = 1_024;

export class IgnoreMarks {
  readonly #bases: BytePath[];
  readonly #scope: Scope;
  readonly #heat = new Heat();
  /** How many more may be found. */
  #toFind: number;
  readonly #groupOf: (path: BytePath) => FanotifyGroup | undefined;
  readonly #queue: BytePath[];
  #flags = IGNORE;
  #left = MARKS_MAX;

  /** `groupOf`: the group whose filesystem mark reports what happens in a directory. */
  constructor(scope: Scope, ignore: readonly string[], groupOf: (path: BytePath) => FanotifyGroup | undefined) {
    this.#bases = ignore.flatMap((pattern) => plainDirectory(pattern) ?? []);
    this.#scope = scope;
    const hasOthers = ignore.length > this.#bases.length || scope.rules.some(({ exclude }) => exclude.length > 0);
    this.#toFind = hasOthers ? FOUND_MAX : 0;
    this.#groupOf = groupOf;
    this.#queue = [...this.#bases];
  }

  /** Something happened in a directory that no rule covers. */
  happened(dir: BytePath, nowMs: number): void {
    if (this.#toFind === 0 || !this.#heat.add(dir, nowMs)) return;
    const why = this.#scope.explain(dir);
    if (why.kind !== 'excluded' || this.#bases.includes(why.at)) return;
    this.#toFind -= 1;
    this.#bases.push(why.at);
    this.#queue.push(why.at);
  }

  /** A directory appeared (or moved here). */
  appeared(path: BytePath): void {
    if (this.#bases.some((base) => isWithin(path, base))) this.#queue.push(path);
  }

  /** A directory moved to where it is not ignored: what it and those below were marked with would go on hiding them. */
  moved(path: BytePath): void {
    if (this.#bases.length === 0 || this.#bases.some((base) => isWithin(path, base))) return;
    const group = this.#groupOf(path);
    const queue = group === undefined ? [] : [path];
    for (let dir = queue.pop(); dir !== undefined; dir = queue.pop()) {
      this.#unmark(group, dir);
      for (const name of subdirectories(dir)) queue.push(joinPath(dir, name));
    }
  }

  #unmark(group: FanotifyGroup | undefined, dir: BytePath): void {
    try {
      group?.unmark(this.#flags & ~abi.FAN_MARK_EVICTABLE, IGNORED, dir);
      this.#left += 1;
    } catch (error) {
      // ENOENT: it never had one, or it was evicted. Others: it is gone, or was never ours to mark.
      if (errorCode(error) === undefined) throw error;
    }
  }

  /** Works off up to `budget` directories; returns whether there is more to do. Throws SystemError when marks run out. */
  step(budget: number): boolean {
    for (let count = 0; count < budget && this.#left > 0; count += 1) {
      const dir = this.#queue.pop();
      if (dir === undefined) return false;
      this.#ignore(dir);
    }
    return this.#left > 0 && this.#queue.length > 0;
  }

  #ignore(dir: BytePath): void {
    const group = this.#groupOf(dir);
    if (group === undefined) return;
    // A rule that names something inside is stronger than the ignored directory around it.
    if (!this.#scope.roots.some((root) => isWithin(root, dir))) this.#mark(group, dir);
    for (const name of subdirectories(dir)) {
      const path = joinPath(dir, name);
      if (!this.#scope.roots.some((root) => root === path)) this.#queue.push(path);
    }
  }

  #mark(group: FanotifyGroup, dir: BytePath): void {
    try {
      group.mark(this.#flags, IGNORED, dir);
      this.#left -= 1;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EINVAL' && this.#flags === IGNORE) {
        this.#flags = IGNORE_LEGACY;
        this.#mark(group, dir);
      } else if (code === 'ENOSPC' || code === 'ENOMEM') {
        this.#left = 0;
        throw error;
      }
      // Anything else (gone, replaced, unreadable): the events come and the scope drops them.
    }
  }
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
