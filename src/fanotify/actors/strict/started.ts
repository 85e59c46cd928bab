// Program starts as the answerer saw them: its messages, and who hears of them in the reader.
import { receiveBytes } from '../../../libc/socket.ts';
import type { Started } from '../actors.ts';
import type { Owner } from '../proc.ts';

/** A message holds it all: exe and command line are cut at 4096 bytes each (proc.ts). */
export function encodeStarted(pid: number, started: Started): Buffer {
  return Buffer.from(JSON.stringify({ pid, ...started }));
}

/** undefined for what is none. */
export function parseStarted(bytes: Buffer): ({ readonly pid: number } & Started) | undefined {
  const { pid, image, owner, atMs } = fieldsOf(JSON.parse(bytes.toString('utf8')));
  const { exe, cmdline } = fieldsOf(image);
  if (typeof pid !== 'number' || typeof exe !== 'string') return undefined;
  const seen = { image: { exe, cmdline: textsOf(cmdline) }, owner: owner === undefined ? undefined : ownerOf(owner) };
  return { pid, ...seen, atMs: numberOf(atMs) ?? 0 };
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

/** For one thread; the descriptor is its owner's. */
export class StartedPrograms {
  readonly #fd: number;
  readonly #tell: (pid: number, started: Started) => void;

  constructor(fd: number, tell: (pid: number, started: Started) => void) {
    this.#fd = fd;
    this.#tell = tell;
  }

  /** For poll(2). */
  get fd(): number {
    return this.#fd;
  }

  /** Takes in what has been told. A process goes on only after its start was told: so all that wrote by now are here. */
  drain(): void {
    for (let bytes = receiveBytes(this.#fd); bytes !== undefined && bytes !== 'gone'; bytes = receiveBytes(this.#fd)) {
      const told = parseStarted(bytes);
      if (told === undefined) continue;
      const { pid, ...started } = told;
      this.#tell(pid, started);
    }
  }
}
