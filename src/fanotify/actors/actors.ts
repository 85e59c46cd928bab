// Who did it: processes by pid, known from their exec where possible, because most writers are gone when their event
// is read.
import { type Actor, UNKNOWN_ACTOR } from '../../domain/actor.ts';
import { actorFrom, type Known, type ProcessInfo, processFrom } from './known.ts';
import { type Image, type Owner, type ParentsOf, readBriefly, readCwd, readImage, readOwner } from './proc.ts';

/** Processes by pid; bounded. */
export interface Actors {
  /** The program that a process was seen to execute, latin1; several of one exec come in the kernel's order. */
  execed(pid: number, exe: string): void;
  /** A process has begun to load its libraries: now its command line is that of the new program. */
  loading(pid: number): void;
  /** Looks closer at those that `execed` and `loading` named since the last time. */
  settle(nowMs: number): void;
  /** What the process executes now is not known: what was known of it does not count any more. */
  forget(pid: number): void;
  actorOf(pid: number, nowMs: number): Actor;
  /** The same as bytes, and with what only a tracker with `detail` asks for. */
  processOf(pid: number, nowMs: number): ProcessInfo;
}

interface Exec {
  /** The program, latin1, if it was named since the last time. */
  readonly exe: string | undefined;
  /** As it was when the process loaded its libraries, if it got that far. */
  readonly image: Image | undefined;
}

/** /proc is asked once in this time for a process that keeps writing. */
const FRESH_MS = 100;
/**
 * How long a process that is gone is remembered: its last events are read within milliseconds, and its pid is given to
 * another one (which may never exec) only after a whole round of pid_max.
 */
const REMEMBER_MS = 30_000;
/** A parent's own parents are taken from what was seen of it so recently. */
const PARENT_MS = 1_000;
const KNOWN_MAX = 16_384;

/** The dynamic loader, which the kernel opens for execution right after the program itself. */
const LOADER = /\/ld-[^/]*\.so(?:\.\d+)?$/;

/** `exe`: a path. */
export function isLoader(exe: string): boolean {
  return LOADER.test(exe);
}

/** A process as it was when it had begun to load the libraries of its program. */
export interface Started {
  readonly image: Image;
  readonly owner: Owner | undefined;
  /** When that was, milliseconds since the epoch. */
  readonly atMs: number;
}

/** Where processes are looked up: /proc, except in tests. */
const PROC = {
  readImage,
  readOwner,
  readBriefly,
  readCwd: (_pid: number): string | undefined => undefined,
  /** What somebody else saw of a program's start, told once for each. */
  takeStarted: (_pid: number, _exe: string): Started | undefined => undefined,
  /** What somebody else knows by now of the program that the process was said to execute last. */
  lookStarted: (_pid: number): Started | undefined => undefined,
};
export type ProcessReader = typeof PROC;
/** Asks for the working directory too, and for all of a process that only just execs. */
export const PROC_IN_DETAIL: ProcessReader = { ...PROC, readBriefly: readOwner, readCwd };

/** `given` stands in for parts of /proc. */
export function trackActors(given: Partial<ProcessReader> = PROC): Actors {
  const reader = { ...PROC, ...given };
  const known = new Map<number, Known>();
  const noted = new Map<number, Exec>();

  const remember = (pid: number, entry: Known): Known => {
    known.delete(pid);
    known.set(pid, entry);
    const oldest = known.size > KNOWN_MAX ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    return entry;
  };

  const parents = (nowMs: number): ParentsOf => {
    return (pid) => {
      const entry = known.get(pid);
      return entry !== undefined && nowMs - entry.seenMs < PARENT_MS ? entry.actor.ppids : undefined;
    };
  };

  const rememberStarted = (
    pid: number,
    { image, owner, atMs }: Started,
    execed: string | undefined,
    nowMs: number,
  ): Known => {
    const actor = actorFrom('exec', pid, image, owner);
    const [startTime, cwd] = [owner?.startTime, reader.readCwd(pid)];
    const readMs = image.cmdline === undefined ? 0 : atMs;
    return remember(pid, { actor, exe: image.exe, cwd, owner, execed, startTime, readMs, seenMs: nowMs });
  };

  const settlePid = (pid: number, { exe, image }: Exec, nowMs: number): void => {
    const execed = exe ?? known.get(pid)?.execed;
    const started = exe === undefined ? undefined : reader.takeStarted(pid, exe);
    if (started !== undefined) {
      rememberStarted(pid, started, execed, nowMs);
      return;
    }
    if (image?.exe !== undefined && (execed === undefined || image.exe === execed)) {
      const owner = reader.readOwner(pid, parents(nowMs));
      const actor = actorFrom('exec', pid, image, owner);
      remember(pid, {
        actor,
        exe: image.exe,
        cwd: reader.readCwd(pid),
        owner,
        execed,
        startTime: owner?.startTime,
        readMs: nowMs,
        seenMs: nowMs,
      });
    } else if (exe !== undefined) {
      // Not in place yet, or over already: the name is sure, the command line (still the old one) is not.
      const owner = reader.readBriefly(pid, parents(nowMs));
      const actor = actorFrom('exec', pid, { exe, cmdline: undefined }, owner);
      // The name in /proc may still be that of the program before.
      const unnamed = owner === undefined ? undefined : { ...owner, comm: undefined };
      const [startTime, cwd] = [undefined, reader.readCwd(pid)];
      remember(pid, { actor, exe, cwd, owner: unnamed, execed, startTime, readMs: 0, seenMs: nowMs });
    }
  };

  const lookUp = (pid: number, nowMs: number): Known | undefined => {
    if (pid <= 0) return undefined;
    let entry = known.get(pid);
    if (entry !== undefined && nowMs - entry.readMs < FRESH_MS) return entry;
    const started = entry?.actor.cmdline === undefined ? reader.lookStarted(pid) : undefined;
    if (started?.image.cmdline !== undefined && started.image.exe === (entry?.execed ?? started.image.exe)) {
      entry = rememberStarted(pid, started, started.image.exe, nowMs);
      // Unit and user may be others by now.
      if (nowMs - entry.readMs < FRESH_MS) return entry;
    }
    const isRecent = entry !== undefined && nowMs - entry.seenMs < REMEMBER_MS;
    const image = reader.readImage(pid);
    const owner = reader.readOwner(pid, parents(nowMs));
    if (owner === undefined) return isRecent ? entry : undefined;
    const isSame = entry?.startTime === undefined ? isRecent : entry.startTime === owner.startTime;
    // Ended and not waited for, or not to be believed: what was known holds, if it is of this process.
    if (image.exe === undefined) return isSame && isRecent ? entry : undefined;
    const execed = isSame ? entry?.execed : undefined;
    // The exec is under way: /proc still shows the program before it.
    if (isSame && entry !== undefined && execed !== undefined && execed !== image.exe) return entry;
    const source = isSame && entry !== undefined ? entry.actor.source : 'proc';
    const actor = actorFrom(source, pid, image, owner);
    const { startTime } = owner;
    const cwd = reader.readCwd(pid);
    return remember(pid, { actor, exe: image.exe, cwd, owner, execed, startTime, readMs: nowMs, seenMs: nowMs });
  };

  return {
    execed: (pid, exe) => {
      if (!LOADER.test(exe)) noted.set(pid, { exe, image: undefined });
    },
    loading: (pid) => noted.set(pid, { exe: noted.get(pid)?.exe, image: reader.readImage(pid) }),
    settle: (nowMs) => {
      for (const [pid, exec] of noted) settlePid(pid, exec, nowMs);
      noted.clear();
    },
    forget: (pid) => {
      noted.delete(pid);
      known.delete(pid);
    },
    actorOf: (pid, nowMs) => lookUp(pid, nowMs)?.actor ?? UNKNOWN_ACTOR,
    processOf: (pid, nowMs) => processFrom(lookUp(pid, nowMs)),
  };
}
