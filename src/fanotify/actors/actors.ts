// Who did it: processes by pid, known from their exec where possible, because most writers are gone when their event
// is read.
import { type Actor, UNKNOWN_ACTOR } from '../../domain/actor.ts';
import { type BytePath, pathFromLatin1 } from '../../domain/path.ts';
import {
  type Image,
  type Owner,
  type ParentsOf,
  parseContainer,
  readBriefly,
  readCwd,
  readImage,
  readOwner,
  textOf,
} from './proc.ts';

/** Processes by pid; bounded. */
export interface Actors {
  /** The program that a process was seen to execute, latin1; several of one exec come in the kernel's order. */
  execed(pid: number, exe: string): void;
  /** A process has begun to load its libraries: now its command line is that of the new program. */
  loading(pid: number): void;
  /** Looks closer at those that `execed` and `loading` named since the last time. */
  settle(nowMs: number): void;
  actorOf(pid: number, nowMs: number): Actor;
  /** The same as bytes, and with what only a tracker with `detail` asks for. */
  processOf(pid: number, nowMs: number): ProcessInfo;
}

/** A process, as far as it is known. */
export interface ProcessInfo {
  /** As text, with `source`: where it is known from. */
  readonly actor: Actor;
  readonly exe: BytePath | undefined;
  readonly cwd: BytePath | undefined;
  /** The real user id. */
  readonly uid: number | undefined;
  /** proc_pid_comm(5), latin1; of a program that was gone before it could be asked, the name of its file. */
  readonly comm: string | undefined;
  /** cgroups(7): the path in the unified hierarchy (or v1's `name=systemd`), latin1. */
  readonly cgroup: string | undefined;
}

interface Known {
  readonly actor: Actor;
  /** Latin1. */
  readonly exe: string | undefined;
  readonly cwd: string | undefined;
  readonly owner: Owner | undefined;
  /** The program that it was last seen to execute, latin1; undefined when its exec was not seen. */
  readonly execed: string | undefined;
  /** Undefined when the process was gone before /proc could be asked. */
  readonly startTime: string | undefined;
  /** When /proc last showed this program complete; milliseconds since the epoch, 0 for never. */
  readonly readMs: number;
  /** When the process was last known to be this one. */
  readonly seenMs: number;
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

/** A process as it was when it had begun to load the libraries of its program. */
export interface Started {
  readonly image: Image;
  readonly owner: Owner | undefined;
}

/** Where processes are looked up: /proc, except in tests. */
const PROC = {
  readImage,
  readOwner,
  readBriefly,
  readCwd: (_pid: number): string | undefined => undefined,
  /** What somebody else saw of a program's start, told once; `exe` undefined: of the last one. */
  takeStarted: (_pid: number, _exe: string | undefined): Started | undefined => undefined,
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

  const rememberStarted = (pid: number, execed: string | undefined, nowMs: number): Known | undefined => {
    const started = reader.takeStarted(pid, execed);
    if (started === undefined) return undefined;
    const { image, owner } = started;
    const actor = actorFrom('exec', pid, image, owner);
    const startTime = owner?.startTime;
    const cwd = reader.readCwd(pid);
    return remember(pid, { actor, exe: image.exe, cwd, owner, execed, startTime, readMs: nowMs, seenMs: nowMs });
  };

  const settlePid = (pid: number, { exe, image }: Exec, nowMs: number): void => {
    const execed = exe ?? known.get(pid)?.execed;
    if (rememberStarted(pid, execed, nowMs) !== undefined) return;
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
    const entry = known.get(pid);
    if (entry !== undefined && nowMs - entry.readMs < FRESH_MS) return entry;
    const started = entry?.actor.cmdline === undefined ? rememberStarted(pid, entry?.execed, nowMs) : undefined;
    if (started !== undefined) return started;
    const isRecent = entry !== undefined && nowMs - entry.seenMs < REMEMBER_MS;
    const image = reader.readImage(pid);
    const owner = image.exe === undefined ? undefined : reader.readOwner(pid, parents(nowMs));
    if (owner === undefined) return isRecent ? entry : undefined;
    const isSame = entry?.startTime === undefined ? isRecent : entry.startTime === owner.startTime;
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
    actorOf: (pid, nowMs) => lookUp(pid, nowMs)?.actor ?? UNKNOWN_ACTOR,
    processOf: (pid, nowMs) => processFrom(lookUp(pid, nowMs)),
  };
}

/** USER_HZ, the unit of `startTime`, is 100 on every architecture that Node runs on. */
const TICK_MS = 10;

function actorFrom(source: Actor['source'], pid: number, image: Image, owner: Owner | undefined): Actor {
  const container = parseContainer(owner?.cgroup);
  return {
    source,
    pid,
    ...(image.exe === undefined ? {} : { exe: textOf(image.exe) }),
    ...(image.cmdline === undefined ? {} : { cmdline: image.cmdline }),
    ...(owner?.uid === undefined ? {} : { uid: owner.uid }),
    ...(owner?.loginUid === undefined ? {} : { loginUid: owner.loginUid }),
    ...(owner?.unit === undefined ? {} : { unit: owner.unit }),
    ...(container === undefined ? {} : { container }),
    ...(owner?.cgroup === undefined ? {} : { cgroup: owner.cgroup }),
    ...(owner === undefined ? {} : { ppids: owner.ppids }),
    ...(owner?.startTime === undefined ? {} : { startedMs: Number(owner.startTime) * TICK_MS }),
  };
}

const UNKNOWN: ProcessInfo = {
  actor: UNKNOWN_ACTOR,
  exe: undefined,
  cwd: undefined,
  uid: undefined,
  comm: undefined,
  cgroup: undefined,
};

function processFrom(known: Known | undefined): ProcessInfo {
  if (known === undefined) return UNKNOWN;
  const { actor, exe, cwd, owner } = known;
  return {
    actor,
    exe: bytes(exe),
    cwd: bytes(cwd),
    uid: owner?.uid,
    comm: owner?.comm ?? exe?.slice(exe.lastIndexOf('/') + 1).slice(0, COMM_BYTES),
    cgroup: owner?.cgroup,
  };
}

/** TASK_COMM_LEN without its NUL. */
const COMM_BYTES = 15;

function bytes(latin1: string | undefined): BytePath | undefined {
  return latin1 === undefined ? undefined : pathFromLatin1(latin1);
}
