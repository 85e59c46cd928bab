// Who caused a drift, as far as it could be learnt. Every actor says where it comes from; none is a guess.

export interface Actor {
  /** `exec`: seen at its execve(2). `proc`: read from /proc when the event was read. `unknown`: gone before either. */
  readonly source: 'exec' | 'proc' | 'unknown';
  readonly pid?: number;
  /** The program at the time of the write, escaped text when it is not UTF-8. */
  readonly exe?: string;
  readonly cmdline?: readonly string[];
  readonly uid?: number;
  /** The user who logged in (audit login uid); absent when nobody did. */
  readonly loginUid?: number;
  /** The systemd unit, from cgroup(7). */
  readonly unit?: string;
  /** Its path in the cgroup hierarchy, latin1. */
  readonly cgroup?: string;
  /** The container, from cgroup(7): the 64 hexadecimal digits that Docker, Podman, containerd and CRI-O give it. */
  readonly container?: string;
  /** Parents, nearest first, up to pid 1. */
  readonly ppids?: readonly number[];
  /** When it began, in milliseconds since boot, rounded down to hundredths of a second: tells it from a later one with its pid. */
  readonly startedMs?: number;
}

export const UNKNOWN_ACTOR: Actor = { source: 'unknown' };

/** How many actors of one batch a record lists. */
const ACTORS_MAX = 8;

/** Whether two are one process, executing one program. */
export function isSameActor(a: Actor, b: Actor): boolean {
  if (a.pid !== b.pid || a.exe !== b.exe) return false;
  return a.startedMs === undefined || b.startedMs === undefined || a.startedMs === b.startedMs;
}

/** Adds `actor` as the latest of a path's actors: each process once for each program, the last writer at the end. */
export function addActor(actors: readonly Actor[], actor: Actor): readonly Actor[] {
  if (actor.source === 'unknown' && actors.length > 0) return actors;
  const others = actors.filter((known) => !isSameActor(known, actor) && known.source !== 'unknown');
  return [...others.slice(-(ACTORS_MAX - 1)), actor];
}
