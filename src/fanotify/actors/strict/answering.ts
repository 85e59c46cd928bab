// `who: strict`: a process that looks at each program before it runs, watched from here. While it is stopped nobody answers and
// no dynamically linked program starts (a kernel that waits for a verdict knows no time-out), so it is killed when it gives
// no sign of life: the kernel then allows what waits, and another one is started.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { builtFile } from '../../../domain/built-file.ts';
import { AppError } from '../../../domain/errors.ts';
import { closeFd } from '../../../libc/handle.ts';
import { openSocketPair } from '../../../libc/socket.ts';

export type AnswererMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'alive' }
  | { readonly kind: 'failed'; readonly message: string };

/** Where the answerer finds its end of the socket. */
export const TELL_FD = 3;
/** How often it proves that it answers. */
export const ALIVE_MS = 1_000;
/** Without a sign of life for so long it is killed. */
const PATIENCE_MS = 3_000;
const RESTART_MS = 1_000;
/** How much longer a start may take. */
const START_MS = 30_000;
/** Some 5,000 starts under way to the reader; beyond that they are allowed without being told. */
const UNDER_WAY_BYTES = 8 * 1024 * 1024;

/** Owns the process, and another one when it ends. */
export class Answering {
  /** Where the starts are told; for StartedPrograms. */
  readonly fd: number;
  readonly #tellFd: number;
  readonly #onProblem: (message: string) => void;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #lastSignMs = 0;
  #lastLookMs = 0;
  #timers: NodeJS.Timeout[] = [];
  #isClosed = false;

  private constructor(onProblem: (message: string) => void) {
    this.#onProblem = onProblem;
    [this.fd, this.#tellFd] = openSocketPair(UNDER_WAY_BYTES);
  }

  /** Resolves when no dynamically linked program starts unseen any more. Throws SystemError, AppError IO. */
  static async open(onProblem: (message: string) => void): Promise<Answering> {
    const answering = new Answering(onProblem);
    try {
      await answering.#start();
    } catch (error) {
      await answering.close();
      throw error;
    }
    answering.#timers.push(setInterval(() => answering.#look(), ALIVE_MS).unref());
    return answering;
  }

  #start(): Promise<void> {
    this.#lastSignMs = performance.now() + START_MS;
    const child = spawn(process.execPath, [fileURLToPath(builtFile('fanotify/actors/strict/answerer'))], {
      // A session of its own: what stops the watch from a terminal does not stop it.
      detached: true,
      env: {},
      cwd: '/',
      stdio: ['ignore', 'ignore', 'inherit', this.#tellFd, 'ipc'],
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', resolve).once('error', resolve);
    });
    void this.#exited.then(() => this.#ended());
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new AppError('IO', `who: strict does not work here: ${why}`));
      child.once('error', ({ message }) => fail(message));
      child.once('exit', () => fail('its process ended'));
      child.on('message', (message: AnswererMessage) => {
        this.#lastSignMs = performance.now();
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'failed') fail(message.message);
      });
    });
  }

  #look(): void {
    const nowMs = performance.now();
    // This process was stopped, or busy: signs of life wait to be read.
    if (nowMs - this.#lastLookMs > 2 * ALIVE_MS) this.#lastSignMs = Math.max(this.#lastSignMs, nowMs);
    this.#lastLookMs = nowMs;
    if (nowMs - this.#lastSignMs > PATIENCE_MS) this.#child?.kill('SIGKILL');
  }

  #ended(): void {
    if (this.#isClosed || this.#timers.length === 0) return;
    this.#onProblem('who: strict: the process that looks at programs has ended, another one is started');
    const restart = (): void => {
      if (!this.#isClosed) this.#start().catch(({ message }: Error) => this.#onProblem(message));
    };
    this.#timers.push(setTimeout(restart, RESTART_MS).unref());
  }

  /** Resolves when nobody waits for an answer any more; idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const child = this.#child;
    if (child?.connected) child.disconnect();
    const killer = setTimeout(() => child?.kill('SIGKILL'), ALIVE_MS);
    await this.#exited;
    clearTimeout(killer);
    closeFd(this.fd);
    closeFd(this.#tellFd);
  }
}
