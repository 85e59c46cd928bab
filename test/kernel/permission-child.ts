// A guarding program in a child process, with a watchdog: SIGKILL ends it at the latest when a test would time out.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PermissionOptions } from '../../src/fanotify/permission/options.ts';

type Options = Partial<Omit<PermissionOptions, 'decide' | 'marks' | 'onProblem'>>;

interface Placement {
  /** Names of the mark's type and of its events. Default: FAN_MARK_FILESYSTEM, FAN_OPEN_PERM. */
  readonly mark?: string;
  readonly mask?: string;
  /** Where the built program is. */
  readonly home?: string;
}

export interface Message {
  readonly kind: string;
  readonly command?: string;
  readonly name?: string;
  readonly pid?: number;
  readonly problem?: string;
  readonly code?: string;
  readonly message?: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly range?: { readonly offsetBytes: number; readonly countBytes: number };
}

const HOME = new URL('../..', import.meta.url).pathname;
const PROGRAM = 'test/kernel/permission-program.mjs';
const WATCHDOG_S = '50';

export class PermissionChild {
  readonly #child: ChildProcess;
  readonly messages: Message[] = [];
  readonly exited: Promise<number | null>;
  stderr = '';
  #checks = new Set<() => void>();
  pid = 0;

  private constructor(home: string, settings: object) {
    const args = ['-s', 'KILL', WATCHDOG_S, process.execPath, join(home, PROGRAM), JSON.stringify(settings)];
    this.#child = spawn('timeout', args, { stdio: 'pipe' });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.stderr += chunk;
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.messages.push(JSON.parse(line) as Message);
      for (const check of this.#checks) check();
    });
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        for (const check of this.#checks) check();
        this.#checks.clear();
        resolve(code);
      });
    });
  }

  /** Resolves when the marks are set. `options` on top of: deadline 10 s, then deny; fail closed. */
  static async open(root: string, options: Options = {}, more: Placement = {}): Promise<PermissionChild> {
    const defaults: Options = { deadlineMs: 10_000, onDeadline: 'deny', failure: 'closed' };
    const { home = HOME, ...marks } = more;
    const child = new PermissionChild(home, { root, ...marks, options: { ...defaults, ...options } });
    child.pid = (await child.waitFor(({ kind }) => kind === 'ready' || kind === 'error')).pid ?? 0;
    return child;
  }

  /** The first message since the call, or among the last ones when `since` says so. */
  waitFor(passes: (message: Message) => boolean, since = 0): Promise<Message> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.messages.slice(since).find(passes);
        if (found !== undefined) resolve(found);
        else if (this.#child.exitCode !== null || this.#child.signalCode !== null) reject(this.#failure());
        else return;
        this.#checks.delete(check);
      };
      this.#checks.add(check);
      check();
    });
  }

  #failure(): Error {
    const said = this.messages.slice(-20).map((message) => JSON.stringify(message));
    return new Error(
      `ended with ${this.#child.exitCode ?? this.#child.signalCode}\n${said.join('\n')}\n${this.stderr}`,
    );
  }

  asked(name: string): Promise<Message> {
    return this.waitFor((message) => message.kind === 'asked' && message.name === name);
  }

  names(): (string | undefined)[] {
    return this.messages.filter(({ kind }) => kind === 'asked').map(({ name }) => name);
  }

  send(command: string, argument = ''): void {
    this.#child.stdin!.write(`${command} ${argument}\n`);
  }

  async run(command: string, argument = ''): Promise<Message> {
    const since = this.messages.length;
    this.send(command, argument);
    return this.waitFor((message) => message.kind === 'done' && message.command === command, since);
  }

  async counts(): Promise<Record<string, number>> {
    return (await this.run('counts')).result as Record<string, number>;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.pid > 0) {
      try {
        this.signal('SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
    await this.exited;
  }
}
