// Who reads what the trace prints. `trace / | tee /var/log/t`: each line that tee writes would be an event, and so a line, for
// ever. Such processes and their children are not shown.
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { errorCode } from '../domain/errors.ts';
import { parseStat } from '../fanotify/actors/proc.ts';
import { readStart } from '../libc/read.ts';
import type { ProcessInfo } from './record.ts';

/** How long the answer of one look at /proc holds; longer where looking takes long. */
const FRESH_MS = 2_000;
const FRESH_TIMES = 50;

/** Processes that read a pipe, or a pipe that one of those writes to. */
export class OutputReaders {
  readonly #pipe: string | undefined;
  readonly #found: (reader: ProcessInfo) => void;
  readonly #told = new Set<number>();
  #readers: ReadonlySet<number> = new Set();
  #freshUntilMs = 0;

  /** `fd`: what is printed to; `found` is told of each process when its first event is left out. */
  constructor(fd: number, found: (reader: ProcessInfo) => void) {
    this.#pipe = pipeOf(`/proc/self/fd/${fd}`);
    this.#found = found;
  }

  includes(process: ProcessInfo, nowMs: number): boolean {
    if (this.#pipe === undefined) return false;
    if (nowMs >= this.#freshUntilMs) this.#look(this.#pipe, nowMs);
    if (this.#readers.size === 0) return false;
    const isReader = [process.pid, ...(process.actor.ppids ?? [])].some((pid) => this.#readers.has(pid));
    if (isReader && !this.#told.has(process.pid)) {
      this.#told.add(process.pid);
      this.#found(process);
    }
    return isReader;
  }

  #look(pipe: string, nowMs: number): void {
    const start = performance.now();
    this.#readers = readersOf(pipe);
    this.#freshUntilMs = nowMs + Math.max(FRESH_MS, (performance.now() - start) * FRESH_TIMES);
  }
}

interface Ends {
  readonly pid: number;
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** Whoever started this process may read what it prints and do other things besides: ancestors are left out. */
function readersOf(pipe: string): Set<number> {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => endsOf(Number(name)));
  const ancestors = new Set(lineageOf(process.pid));
  const [pipes, readers] = [[pipe], new Set<number>()];
  for (let at = pipes.pop(); at !== undefined; at = pipes.pop()) {
    for (const { pid, reads, writes } of all) {
      if (!reads.has(at) || readers.has(pid) || ancestors.has(pid)) continue;
      readers.add(pid);
      pipes.push(...writes);
    }
  }
  return readers;
}

function endsOf(pid: number): Ends {
  const [reads, writes] = [new Set<string>(), new Set<string>()];
  for (const fd of descriptorsOf(pid)) {
    const path = `/proc/${pid}/fd/${fd}`;
    const pipe = pipeOf(path);
    if (pipe === undefined) continue;
    // proc_pid_fd(5): the owner's bits of the link say how it was opened.
    const mode = modeOf(path);
    if ((mode & 0o400) !== 0) reads.add(pipe);
    if ((mode & 0o200) !== 0) writes.add(pipe);
  }
  return { pid, reads, writes };
}

function descriptorsOf(pid: number): string[] {
  return orGone(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
}

function pipeOf(path: string): string | undefined {
  const target = orGone(() => readlinkSync(path));
  return target?.startsWith('pipe:') === true ? target : undefined;
}

function modeOf(path: string): number {
  return orGone(() => lstatSync(path).mode) ?? 0;
}

function lineageOf(pid: number): number[] {
  const pids: number[] = [];
  for (let at = pid; at > 0; ) {
    pids.push(at);
    at = parseStat(readStart(`/proc/${at}/stat`, Buffer.alloc(1024)))?.ppid ?? 0;
  }
  return pids;
}

/** Undefined when the process or the descriptor went away meanwhile, or is not ours to look at. */
function orGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
