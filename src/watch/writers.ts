// Who wrote: what the reader knows of processes, and the queues that tell it.
import { SystemError } from '../domain/errors.ts';
import { type BytePath, dirOf, pathFromLatin1 } from '../domain/path.ts';
import type { Who } from '../domain/settings.ts';
import type { Started } from '../fanotify/actors/actors.ts';
import { ExecWatch, mayHoldPrograms } from '../fanotify/actors/exec-watch.ts';
import { type StartSink, watchStarts } from '../fanotify/actors/start-watch.ts';
import { StartedPrograms } from '../fanotify/actors/strict/started.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import { type MountTable, mountTable } from '../fanotify/mounts.ts';
import type { WatchGroup } from './marks.ts';
import { QueueWriters } from './queue-writers.ts';

const LOADER_CACHE_MS = 5_000;

interface Queue {
  readonly writers: QueueWriters;
  /** Devices of filesystems whose programs start unheard in this queue. */
  readonly unheard: Set<string>;
  /** By directory there: whether its programs are heard all the same. */
  readonly programs: Map<BytePath, boolean>;
}

/** Each pins an inode. */
const PROGRAM_DIRECTORIES_MAX = 256;

/** For one thread. */
export class Writers {
  readonly #told: StartedPrograms | undefined;
  readonly #execs: ExecWatch | undefined;
  readonly #queues = new Map<FanotifyGroup, Queue>();
  readonly #sink: StartSink;
  #completed: [pid: number, started: Started][] = [];
  #table: MountTable = mountTable([]);
  #loaderCacheMs = Date.now();

  /** `startsFd`: where the answerer of `strict` tells the starts of programs. Throws SystemError. */
  constructor(who: Who, startsFd: number | undefined) {
    this.#told =
      startsFd === undefined ? undefined : new StartedPrograms(startsFd, (...told) => this.#completed.push(told));
    this.#execs = who === 'proc' ? undefined : new ExecWatch();
    this.#sink = this.#openSink();
  }

  #openSink(): StartSink {
    const { execed, loading, settle } = watchStarts({
      begin: (...start) => this.#each(({ writers }) => writers.starts.begin(...start)),
      complete: (...start) => this.#each(({ writers }) => writers.starts.complete(...start)),
    });
    const unheard: [pid: number, exe: string][] = [];
    return {
      loading,
      execed: (pid, exe) => {
        execed(pid, exe);
        unheard.push([pid, exe]);
      },
      settle: (nowMs) => {
        settle(nowMs);
        for (const [pid, exe] of unheard.splice(0)) {
          this.#each((queue) => {
            if (this.#isUnheard(queue, exe) && !hearsDirectory(queue, exe)) queue.writers.execed(pid, exe);
          });
        }
      },
    };
  }

  #each(call: (queue: Queue) => void): void {
    for (const queue of this.#queues.values()) call(queue);
  }

  #isUnheard({ unheard }: Queue, exe: string): boolean {
    return unheard.size > 0 && unheard.has(this.#table.mountAt(pathFromLatin1(exe))?.device ?? '');
  }

  /** For poll(2), -1 for none: descriptors that say that `drain` has something to do. */
  fds(): readonly number[] {
    return [this.#execs?.fd ?? -1, this.#told?.fd ?? -1];
  }

  /** Follows programs on the filesystems that are mounted now. */
  follow(table: MountTable, groups: readonly WatchGroup[]): void {
    this.#table = table;
    if (this.#execs === undefined) return;
    this.#execs.markFilesystems(table);
    const present = new Set(groups.map(({ group }) => group));
    for (const group of this.#queues.keys()) if (!present.has(group)) this.#queues.delete(group);
    for (const { group } of groups) markPrograms(this.#queueOf(group), table);
  }

  #queueOf(group: FanotifyGroup): Queue {
    let queue = this.#queues.get(group);
    if (queue === undefined) {
      queue = {
        writers: new QueueWriters(group, () => this.drain(Date.now())),
        unheard: new Set(),
        programs: new Map(),
      };
      this.#queues.set(group, queue);
    }
    return queue;
  }

  /** The events of one group, with those behind them. */
  queueOf(group: FanotifyGroup): QueueWriters {
    return this.#queueOf(group).writers;
  }

  /** Takes in what started, at once: most programs are gone soon. */
  drain(nowMs: number): void {
    // Whose start is told here has been executed before.
    this.#told?.drain();
    this.#execs?.drain(this.#sink, nowMs);
    for (const told of this.#completed.splice(0)) this.#each(({ writers }) => writers.starts.complete(...told));
  }

  /** To be called from time to time. */
  tick(nowMs: number): void {
    if (nowMs - this.#loaderCacheMs < LOADER_CACHE_MS) return;
    this.#loaderCacheMs = nowMs;
    this.#execs?.markLoaderCache();
  }

  close(): void {
    this.#execs?.close();
  }
}

/** Whether starts from the program's directory come in the queue; from now on they do, if it can be marked. */
function hearsDirectory({ writers, programs }: Queue, exe: string): boolean {
  const dir = dirOf(pathFromLatin1(exe));
  const known = programs.get(dir);
  if (known !== undefined || programs.size >= PROGRAM_DIRECTORIES_MAX) return known ?? false;
  markDirectory(writers, programs, dir);
  // This start was before the mark.
  return false;
}

function markDirectory(writers: QueueWriters, programs: Queue['programs'], dir: BytePath): void {
  try {
    writers.markDirectory(dir);
    programs.set(dir, true);
  } catch (error) {
    // Another subvolume than the group's, or gone.
    if (!(error instanceof SystemError)) throw error;
    programs.set(dir, false);
  }
}

/** Marks that are there already stay as they are. */
function markPrograms({ writers, unheard, programs }: Queue, table: MountTable): void {
  unheard.clear();
  // Directories may have been replaced.
  for (const dir of programs.keys()) markDirectory(writers, programs, dir);
  const marked = new Set<string>();
  for (const mount of table.mounts) {
    if (marked.has(mount.device) || !mayHoldPrograms(mount) || !table.isVisible(mount)) continue;
    try {
      writers.mark(mount.mountPoint);
      marked.add(mount.device);
    } catch (error) {
      // No file ids, or a subvolume: its programs are taken to start when they are heard of.
      if (!(error instanceof SystemError)) throw error;
      unheard.add(mount.device);
    }
  }
  for (const device of marked) unheard.delete(device);
}
