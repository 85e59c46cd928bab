// Who did it: processes by pid, known from their exec where possible, because most writers are gone when their event
// is read.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type ParentsOf, type ProcessState, readOwner, readProcess, textOf } from './proc.ts';

interface Known {
  readonly actor: Actor;
  /** The program that it was last seen to execute, latin1; undefined when its exec was not seen. */
  readonly execed: string | undefined;
  /** Undefined when the process was gone before /proc could be asked. */
  readonly startTime: string | undefined;
  /** When /proc last showed this program complete; milliseconds since the epoch, 0 for never. */
  readonly readMs: number;
  /** When the process was last known to be this one. */
  readonly seenMs: number;
}

/** /proc is asked once in this time for a process that keeps writing. */
const FRESH_MS = 100;
/**
 * How long a process that is gone is remembered: its last events are read within milliseconds, and its pid is given to
 * another one (which may never exec) only after a whole round of pid_max.
 */
const REMEMBER_MS = 30_000;
const KNOWN_MAX = 16_384;

/** The dynamic loader, which the kernel opens for execution right after the program itself. */
const LOADER = /\/ld-[^/]*\.so(?:\.\d+)?$/;

interface Exec {
  /** The program, latin1, if it was named since the last time. */
  readonly exe: string | undefined;
  /** It has opened the loader's cache since. */
  readonly isLoading: boolean;
}

/** Processes by pid; bounded. */
export interface Actors {
  /** The program that a process was seen to execute, latin1; several of one exec come in the kernel's order. */
  execed(pid: number, exe: string): void;
  /** A process has begun to load its libraries: now its command line is that of the new program. */
  loading(pid: number): void;
  /** Takes up what `execed` and `loading` said since the last time. */
  settle(nowMs: number): void;
  actorOf(pid: number, nowMs: number): Actor;
}

/** A parent's own parents are taken from what was seen of it so recently. */
const PARENT_MS = 1_000;

export function trackActors(read = readProcess, readBefore = readOwner): Actors {
  const known = new Map<number, Known>();
  const noted = new Map<number, Exec>();

  const remember = (pid: number, entry: Known): Actor => {
    known.delete(pid);
    known.set(pid, entry);
    const oldest = known.size > KNOWN_MAX ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    return entry.actor;
  };

  const parents = (nowMs: number): ParentsOf => {
    return (pid) => {
      const entry = known.get(pid);
      return entry !== undefined && nowMs - entry.seenMs < PARENT_MS ? entry.actor.ppids : undefined;
    };
  };

  const settlePid = (pid: number, exec: Exec, nowMs: number): void => {
    const before = known.get(pid);
    const execed = exec.exe ?? before?.execed;
    const state = exec.isLoading ? read(pid, parents(nowMs)) : undefined;
    if (state?.exe !== undefined && (execed === undefined || state.exe === execed)) {
      remember(pid, seen('exec', pid, state, execed, nowMs));
    } else if (exec.exe !== undefined) {
      // Not in place yet, or over already: the name is sure, the command line (still the old one) is not.
      const actor: Actor = { ...ownerOf(readBefore(pid, parents(nowMs))), pid, source: 'exec', exe: textOf(exec.exe) };
      remember(pid, { actor, execed, startTime: undefined, readMs: 0, seenMs: nowMs });
    }
  };

  const actorOf = (pid: number, nowMs: number): Actor => {
    if (pid <= 0) return UNKNOWN_ACTOR;
    const entry = known.get(pid);
    if (entry !== undefined && nowMs - entry.readMs < FRESH_MS) return entry.actor;
    const state = read(pid, parents(nowMs));
    const isRecent = entry !== undefined && nowMs - entry.seenMs < REMEMBER_MS;
    if (state?.exe === undefined) return isRecent ? entry.actor : UNKNOWN_ACTOR;
    const isSame = entry?.startTime === undefined ? isRecent : entry.startTime === state.startTime;
    if (entry === undefined || !isSame) return remember(pid, seen('proc', pid, state, undefined, nowMs));
    // The exec is under way: /proc still shows the program before it.
    if (entry.execed !== undefined && entry.execed !== state.exe) return entry.actor;
    return remember(pid, seen(entry.actor.source, pid, state, entry.execed, nowMs));
  };

  return {
    execed: (pid, exe) => {
      if (LOADER.test(exe)) return;
      noted.set(pid, { exe, isLoading: false });
    },
    loading: (pid) => noted.set(pid, { exe: noted.get(pid)?.exe, isLoading: true }),
    settle: (nowMs) => {
      for (const [pid, exec] of noted) settlePid(pid, exec, nowMs);
      noted.clear();
    },
    actorOf,
  };
}

function ownerOf(owner: ReturnType<typeof readOwner>): Partial<Actor> {
  if (owner === undefined) return {};
  return owner.uid === undefined ? { ppids: owner.ppids } : { uid: owner.uid, ppids: owner.ppids };
}

function seen(
  source: Actor['source'],
  pid: number,
  state: ProcessState,
  execed: string | undefined,
  nowMs: number,
): Known {
  const actor = actorOfState(source, pid, state);
  return { actor, execed, startTime: state.startTime, readMs: nowMs, seenMs: nowMs };
}

function actorOfState(source: Actor['source'], pid: number, state: ProcessState): Actor {
  return {
    source,
    pid,
    ...(state.exe === undefined ? {} : { exe: textOf(state.exe) }),
    ...(state.cmdline === undefined ? {} : { cmdline: state.cmdline }),
    ...(state.uid === undefined ? {} : { uid: state.uid }),
    ...(state.loginUid === undefined ? {} : { loginUid: state.loginUid }),
    ...(state.unit === undefined ? {} : { unit: state.unit }),
    ppids: state.ppids,
  };
}
