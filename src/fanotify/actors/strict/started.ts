// Program starts as the answerer saw them: its messages, and where the reader keeps them until it is asked.
import { receiveBytes } from '../../../libc/socket.ts';
import type { Started } from '../actors.ts';
import type { Owner } from '../proc.ts';

/** A message holds it all: exe and command line are cut at 4096 bytes each (proc.ts). */
export function encodeStarted(pid: number, started: Started): Buffer {
  return Buffer.from(JSON.stringify({ pid, ...started }));
}

/** undefined for what is none. */
export function parseStarted(bytes: Buffer): ({ readonly pid: number } & Started) | undefined {
  const { pid, image, owner } = fieldsOf(JSON.parse(bytes.toString('utf8')));
  const { exe, cmdline } = fieldsOf(image);
  if (typeof pid !== 'number' || typeof exe !== 'string') return undefined;
  return { pid, image: { exe, cmdline: textsOf(cmdline) }, owner: owner === undefined ? undefined : ownerOf(owner) };
}

function ownerOf(value: unknown): Owner {
  const { startTime, uid, loginUid, unit, ppids, comm, cgroup } = fieldsOf(value);
  return {
    startTime: textOf(startTime),
    uid: numberOf(uid),
    loginUid: numberOf(loginUid),
    unit: textOf(unit),
    ppids: Array.isArray(ppids) ? ppids.filter((pid) => typeof pid === 'number') : [],
    comm: textOf(comm),
    cgroup: textOf(cgroup),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function textsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : undefined;
}

/** Starts that nobody asked for: of processes that wrote nothing. */
const KEPT_MAX = 8_192;
/** As long as a process that is gone is remembered: then its pid may be that of another one. */
const KEPT_MS = 30_000;

interface Kept extends Started {
  readonly untilMs: number;
}

/** For one thread; the descriptor is its owner's. */
export class StartedPrograms {
  readonly #fd: number;
  readonly #byPid = new Map<number, Kept[]>();

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** For poll(2). */
  get fd(): number {
    return this.#fd;
  }

  /** Takes in what has been told. A process goes on only after its start was told: so all that wrote by now are here. */
  drain(nowMs: number): void {
    for (let bytes = receiveBytes(this.#fd); bytes !== undefined && bytes !== 'gone'; bytes = receiveBytes(this.#fd)) {
      const told = parseStarted(bytes);
      if (told !== undefined) this.#keep(told.pid, { image: told.image, owner: told.owner, untilMs: nowMs + KEPT_MS });
    }
    for (const [pid, kept] of this.#byPid) {
      const isOld = (kept.at(-1)?.untilMs ?? 0) < nowMs;
      if (!isOld && this.#byPid.size <= KEPT_MAX) return;
      this.#byPid.delete(pid);
    }
  }

  #keep(pid: number, started: Kept): void {
    const others = this.#byPid.get(pid) ?? [];
    // To the end with what is new: a Map iterates in the order of insertion.
    this.#byPid.delete(pid);
    this.#byPid.set(pid, [...others.slice(-3), started]);
  }

  /** The first start of the program by the process that was not taken yet; the last one when no program is named. */
  take(pid: number, exe: string | undefined): Started | undefined {
    const kept = this.#byPid.get(pid);
    if (kept === undefined) return undefined;
    const at = exe === undefined ? kept.length - 1 : kept.findIndex(({ image }) => image.exe === exe);
    if (at === -1) return undefined;
    const rest = kept.slice(at + 1);
    if (rest.length === 0) this.#byPid.delete(pid);
    else this.#byPid.set(pid, rest);
    return kept[at];
  }
}
