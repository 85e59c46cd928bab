// Who is behind the events of one queue. The starts of programs come in the same queue, so that nobody is blamed for what
// the process did before it executed its present program: a shell that writes a file and then executes its last command
// has one pid and two programs.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import type { BytePath } from '../domain/path.ts';
import {
  FAN_EVENT_ON_CHILD,
  FAN_MARK_FILESYSTEM,
  FAN_MARK_INODE,
  FAN_MARK_ONLYDIR,
  FAN_OPEN_EXEC,
} from '../fanotify/abi.ts';
import { type Actors, isLoader, trackActors } from '../fanotify/actors/actors.ts';
import { actorFrom } from '../fanotify/actors/known.ts';
import { type Image, readImage, readOwner } from '../fanotify/actors/proc.ts';
import { Starts } from '../fanotify/actors/starts.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import { closeFd, pathOfFd } from '../libc/handle.ts';

export interface QueuedEvent {
  readonly event: FanotifyEvent;
  /** Its process executed another program before the event was read: what that one did may be part of the event. */
  readonly isBlurred: boolean;
}

/** How often one round may read on to see which programs start; beyond that /proc is not believed. */
const LOOKS_MAX = 16;
const UNBELIEVED: Image = { exe: undefined, cmdline: undefined };

/** For one thread. */
export class QueueWriters {
  /** Told of all starts at once; this queue says how far they count. */
  readonly starts = new Starts();
  readonly #group: FanotifyGroup;
  readonly #onRead: () => void;
  readonly #actors: Actors;
  #events: QueuedEvent[] = [];
  /** Starts among `#events`, by pid. */
  readonly #ahead = new Map<number, number>();
  #looks = 0;
  #hasNews = false;
  /** Starts come in this queue. */
  #isMarked = false;
  readonly #withoutProgram = new WeakMap<Actor, Actor>();

  /** `onRead`: called after each read, to take in what else is known of the processes behind the events. */
  constructor(group: FanotifyGroup, onRead: () => void) {
    this.#group = group;
    this.#onRead = onRead;
    const { starts } = this;
    this.#actors = trackActors({
      // In this order: the start of what /proc shows is in the queue by then.
      readImage: (pid) => this.#unlessLater(readImage(pid), pid),
      takeStarted: (pid, exe) => starts.take(pid, exe),
      lookStarted: (pid) => (this.#startsLater(pid) ? undefined : starts.current(pid)),
    });
  }

  #unlessLater(image: Image, pid: number): Image {
    return this.#startsLater(pid) ? UNBELIEVED : image;
  }

  #startsLater(pid: number): boolean {
    if (!this.#isMarked) return false;
    if (this.#ahead.has(pid) || this.#looks === 0) return true;
    this.#looks -= 1;
    this.#fill();
    return this.#ahead.has(pid);
  }

  /** Has the starts of programs of a filesystem come in this queue. Throws SystemError when the filesystem refuses. */
  mark(mountPoint: BytePath): void {
    this.#group.mark(FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC, mountPoint);
    this.#isMarked = true;
  }

  /** The same of the programs in a directory, where a filesystem refuses its own mark (overlayfs, btrfs subvolumes). */
  markDirectory(dir: BytePath): void {
    this.#group.mark(FAN_MARK_INODE | FAN_MARK_ONLYDIR, FAN_OPEN_EXEC | FAN_EVENT_ON_CHILD, dir);
    this.#isMarked = true;
  }

  /** Reads what is queued; returns whether anything was. Throws SystemError. */
  read(): boolean {
    this.#looks = LOOKS_MAX;
    return this.#fill();
  }

  #fill(): boolean {
    const events = this.#group.read();
    this.#onRead();
    const starters = new Set<number>();
    const queued: QueuedEvent[] = [];
    for (const event of events.reverse()) {
      queued.push({ event, isBlurred: starters.has(event.pid) });
      if ((event.mask & FAN_OPEN_EXEC) === 0) continue;
      starters.add(event.pid);
      this.#ahead.set(event.pid, (this.#ahead.get(event.pid) ?? 0) + 1);
    }
    this.#events.push(...queued.reverse());
    return events.length > 0;
  }

  /** Hands out the events that are no mere starts, in their order, until there are no more; descriptors are the caller's. */
  *take(nowMs: number): Generator<QueuedEvent> {
    for (let at = 0; at < this.#events.length; at += 1) {
      const queued = this.#events[at];
      if (queued === undefined) break;
      const { event } = queued;
      const isStart = (event.mask & FAN_OPEN_EXEC) !== 0;
      // Before its descriptor is closed.
      const program = isStart ? programName(event) : undefined;
      if (event.mask !== FAN_OPEN_EXEC) yield queued;
      else if (event.fd >= 0) closeFd(event.fd);
      if (isStart) this.#started(event.pid, program);
    }
    this.#events = [];
    this.settle(nowMs);
  }

  #started(pid: number, program: string | undefined): void {
    const left = (this.#ahead.get(pid) ?? 0) - 1;
    if (left > 0) this.#ahead.set(pid, left);
    else this.#ahead.delete(pid);
    if (pid <= 0 || pid === process.pid || program === undefined || isLoader(`/${program}`)) return;
    const exe = this.starts.programOf(pid, program);
    if (exe === undefined) this.#actors.forget(pid);
    else this.execed(pid, exe);
  }

  /** A program was started; for those whose start does not come in this queue. */
  execed(pid: number, exe: string): void {
    this.#actors.execed(pid, exe);
    this.#hasNews = true;
  }

  settle(nowMs: number): void {
    if (this.#hasNews) this.#actors.settle(nowMs);
    this.#hasNews = false;
  }

  /** Of the process behind an event, the latest last; never empty. */
  actorsOf({ event: { pid }, isBlurred }: QueuedEvent, nowMs: number): readonly Actor[] {
    if (pid <= 0) return [UNKNOWN_ACTOR];
    this.settle(nowMs);
    const actor = this.#actors.actorOf(pid, nowMs);
    if (actor.pid === undefined) return [this.#startsLater(pid) ? this.#someProgram(pid) : actor];
    return isBlurred ? [this.#without(actor), actor] : [actor];
  }

  /** It executes another program by now; user and unit are those of the process. */
  #someProgram(pid: number): Actor {
    return actorFrom(
      'proc',
      pid,
      UNBELIEVED,
      readOwner(pid, () => undefined),
    );
  }

  #without(actor: Actor): Actor {
    let process = this.#withoutProgram.get(actor);
    if (process === undefined) {
      const { exe, cmdline, ...rest } = actor;
      process = rest;
      this.#withoutProgram.set(actor, process);
    }
    return process;
  }
}

/** Latin1, without its directory. */
function programName({ fd, records }: FanotifyEvent): string | undefined {
  if (fd >= 0) return pathOfFd(fd)?.replace(/^.*\//s, '');
  for (const record of records) if ('name' in record) return record.name;
  return undefined;
}
