// The processes behind events, followed from their exec.
import { readFileSync } from 'node:fs';
import type { Actor } from '../../domain/actor.ts';
import { mountTable, parseMountinfo } from '../mounts.ts';
import { type Actors, PROC_IN_DETAIL, trackActors } from './actors.ts';
import { ExecWatch } from './exec-watch.ts';
import type { ProcessInfo } from './known.ts';

/**
 * Names the process behind a pid, also when it is gone: it marks every filesystem that holds programs with FAN_OPEN_EXEC
 * (a group of its own) and remembers what each pid executed, 30 s long for those that ended. Call `update` whenever `fd`
 * is readable, and before the events of another group are attributed: whoever caused them was executed before.
 * Descriptors in its queue keep filesystems busy until then. For one thread.
 */
export class ActorMap {
  readonly #execs: ExecWatch;
  readonly #actors: Actors = trackActors(PROC_IN_DETAIL);

  /** Throws SystemError: EPERM without CAP_SYS_ADMIN, EMFILE. */
  static open(): ActorMap {
    const map = new ActorMap(new ExecWatch());
    map.refresh();
    return map;
  }

  private constructor(execs: ExecWatch) {
    this.#execs = execs;
  }

  /** For poll(2). */
  get fd(): number {
    return this.#execs.fd;
  }

  /** Marks filesystems that were mounted since, and the loader's cache if ldconfig(8) replaced it; some seconds apart do. */
  refresh(): void {
    this.#execs.markFilesystems(mountTable(parseMountinfo(readFileSync('/proc/self/mountinfo', 'latin1'))));
    this.#execs.markLoaderCache();
  }

  /** Takes in all programs that started since the last time; does not wait. Throws SystemError. */
  update(): void {
    this.#execs.drain(this.#actors, Date.now());
  }

  /** The process with text for people; `{ source: 'unknown' }` when it was gone before it could be asked. */
  actorOf(pid: number): Actor {
    return this.#actors.actorOf(pid, Date.now());
  }

  /** The process with bytes for programs, and its working directory, name and cgroup. */
  processOf(pid: number): ProcessInfo {
    return this.#actors.processOf(pid, Date.now());
  }

  /** Idempotent. */
  close(): void {
    this.#execs.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
