// What is known of a process, and how it is told.
import { type Actor, UNKNOWN_ACTOR } from '../../domain/actor.ts';
import { type BytePath, pathFromLatin1 } from '../../domain/path.ts';
import { type Image, type Owner, parseContainer, textOf } from './proc.ts';

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

export interface Known {
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

/** USER_HZ, the unit of `startTime`, is 100 on every architecture that Node runs on. */
const TICK_MS = 10;

export function actorFrom(source: Actor['source'], pid: number, image: Image, owner: Owner | undefined): Actor {
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

export function processFrom(known: Known | undefined): ProcessInfo {
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
