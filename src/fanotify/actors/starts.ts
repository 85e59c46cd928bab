// Starts of programs as somebody saw them at once, kept until the events of a queue are attributed in their order: by then
// the process may have executed another program, or be gone.
import type { Started } from './actors.ts';

/** Starts that nobody asked for: of processes that wrote nothing. */
const KEPT_MAX = 8_192;
/** As long as a process that is gone is remembered: then its pid may be that of another one. */
const KEPT_MS = 30_000;
/** Of one process that executes one program after the other. */
const PER_PROCESS_MAX = 8;

interface Process {
  readonly starts: Started[];
  /** How many of `starts`, from the first, have been taken. */
  taken: number;
  readonly untilMs: number;
}

/** For one thread, and one queue: what was taken is taken. */
export class Starts {
  readonly #byPid = new Map<number, Process>();

  /** A process has begun to execute a program. */
  begin(pid: number, started: Started): void {
    const { starts, taken } = this.#byPid.get(pid) ?? { starts: [], taken: 0 };
    const process = { starts: [...starts, started], taken, untilMs: started.atMs + KEPT_MS };
    if (process.starts.length > PER_PROCESS_MAX) {
      process.starts.shift();
      process.taken = Math.max(taken - 1, 0);
    }
    // To the end with what is new: a Map iterates in the order of insertion.
    this.#byPid.delete(pid);
    this.#byPid.set(pid, process);
    this.#forgetOld(started.atMs);
  }

  /** More of a program that the process has begun to execute, maybe unseen. */
  complete(pid: number, started: Started): void {
    const starts = this.#byPid.get(pid)?.starts ?? [];
    const isIt = ({ image }: Started): boolean => image.exe === started.image.exe;
    const missing = starts.findLastIndex((one) => isIt(one) && one.image.cmdline === undefined);
    const at = missing === -1 ? starts.findLastIndex(isIt) : missing;
    if (at === -1) this.begin(pid, started);
    else starts[at] = started;
  }

  #forgetOld(nowMs: number): void {
    for (const [pid, { untilMs }] of this.#byPid) {
      if (untilMs >= nowMs && this.#byPid.size <= KEPT_MAX) return;
      this.#byPid.delete(pid);
    }
  }

  /** The first start of the program by the process that was not taken yet; what it executed before that is over. */
  take(pid: number, exe: string): Started | undefined {
    const process = this.#byPid.get(pid);
    if (process === undefined) return undefined;
    const at = process.starts.findIndex(({ image }, index) => index >= process.taken && image.exe === exe);
    if (at === -1) return undefined;
    process.taken = at + 1;
    return process.starts[at];
  }

  /** What is known by now of the start that was taken last; of the last one when none was. */
  current(pid: number): Started | undefined {
    const { starts, taken } = this.#byPid.get(pid) ?? { starts: [], taken: 0 };
    return taken === 0 ? starts.at(-1) : starts[taken - 1];
  }

  /** The path of the next program of that name that the process has started, or of the one that was taken last. */
  programOf(pid: number, name: string): string | undefined {
    const { starts, taken } = this.#byPid.get(pid) ?? { starts: [], taken: 0 };
    const isNamed = ({ image }: Started): boolean => image.exe?.endsWith(`/${name}`) ?? false;
    return (starts.slice(taken).find(isNamed) ?? starts.slice(0, taken).findLast(isNamed))?.image.exe;
  }
}
