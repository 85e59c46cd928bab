// Who wrote: what the reader knows of processes, and the queues that tell it.
import type { Actor } from '../domain/actor.ts';
import type { Who } from '../domain/settings.ts';
import { type Actors, trackActors } from '../fanotify/actors/actors.ts';
import { ExecWatch } from '../fanotify/actors/exec-watch.ts';
import { StartedPrograms } from '../fanotify/actors/strict/started.ts';
import type { MountTable } from '../fanotify/mounts.ts';

const LOADER_CACHE_MS = 5_000;

/** For one thread. */
export class Writers {
  readonly #actors: Actors;
  readonly #starts: StartedPrograms | undefined;
  readonly #execs: ExecWatch | undefined;
  #loaderCacheMs = Date.now();

  /** `startsFd`: where the answerer of `strict` tells the starts of programs. Throws SystemError. */
  constructor(who: Who, startsFd: number | undefined) {
    const starts = startsFd === undefined ? undefined : new StartedPrograms(startsFd);
    this.#starts = starts;
    this.#actors = trackActors(starts && { takeStarted: (pid, exe) => starts.take(pid, exe) });
    this.#execs = who === 'proc' ? undefined : new ExecWatch();
  }

  /** For poll(2), -1 for none: descriptors that say that `drain` has something to do. */
  fds(): readonly number[] {
    return [this.#execs?.fd ?? -1, this.#starts?.fd ?? -1];
  }

  /** Follows programs on the filesystems that are mounted now. */
  follow(table: MountTable): void {
    this.#execs?.markFilesystems(table);
  }

  /** Takes in what started; before events are attributed: whoever wrote was executed before. */
  drain(nowMs: number): void {
    this.#starts?.drain(nowMs);
    this.#execs?.drain(this.#actors, nowMs);
  }

  actorOf(pid: number, nowMs: number): Actor {
    return this.#actors.actorOf(pid, nowMs);
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
