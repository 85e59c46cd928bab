// What the kernel drops before it is queued: events of directories that are left out, and of hot files outside every rule. All of it
// rests on where things are; when that may have changed without an event, all marks go, and come again where they are of use.
import type { InodeTable } from '../domain/inode-table.ts';
import type { BytePath } from '../domain/path.ts';
import { FAN_MARK_INODE } from '../fanotify/abi.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import type { HandlePaths } from '../fanotify/handles.ts';
import { HotFiles } from './hot-files.ts';
import { IgnoreMarks, type IgnoreMarksOptions, ignoreProblem } from './ignore-marks.ts';
import type { WatchGroup } from './marks.ts';

export interface IgnoringOptions extends IgnoreMarksOptions {
  /** Of the baseline. */
  readonly inodes: InodeTable;
  readonly groups: () => readonly WatchGroup[];
  readonly onProblem: (message: string) => void;
  /** Marks on directories that others had set went, too. */
  readonly onRenewed: (nowMs: number) => void;
}

/** How many directories are marked in one step. */
const STEP = 256;

export class Ignoring {
  readonly #options: IgnoringOptions;
  readonly #directories: IgnoreMarks;
  readonly #files: HotFiles;
  #hasWork = true;

  constructor(options: IgnoringOptions) {
    this.#options = options;
    this.#directories = new IgnoreMarks(options);
    this.#files = new HotFiles(options.inodes);
  }

  /** Whether `step` has something to do at once. */
  get hasWork(): boolean {
    return this.#hasWork;
  }

  /** `isOutside`: no rule has to do with any of the event's paths. */
  take(group: FanotifyGroup, event: FanotifyEvent, isOutside: boolean, handles: HandlePaths, nowMs: number): void {
    this.#files.take(group, event, isOutside, handles, nowMs);
  }

  /** Something happened in a directory that no rule covers, whatever name it has. */
  happened(dir: BytePath, nowMs: number): void {
    this.#directories.happened(dir, nowMs);
  }

  /** A directory appeared, or moved here. */
  appeared(path: BytePath): void {
    this.#directories.appeared(path);
  }

  moved(path: BytePath): void {
    this.#directories.moved(path);
  }

  /** Events were lost, or something was mounted: what is ignored may be covered by now. */
  renew(nowMs: number): void {
    if (!this.#directories.isInUse && !this.#files.isInUse) return;
    for (const { group, directories } of this.#options.groups()) {
      if (directories === undefined) group.flush(FAN_MARK_INODE);
    }
    this.#files.forgetAll();
    this.#directories.renew(nowMs);
    this.#options.onRenewed(nowMs);
    this.#hasWork = true;
  }

  step(nowMs: number): void {
    if (this.#directories.isSpent(nowMs)) this.renew(nowMs);
    try {
      this.#hasWork = this.#directories.step(STEP);
    } catch (error) {
      this.#options.onProblem(ignoreProblem(error));
      this.#hasWork = false;
    }
  }
}
