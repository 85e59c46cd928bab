// Traces of a filesystem of their own, and what is done on it meanwhile.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Scratch } from '../kernel/scratch.ts';
import { Daemon, type Fields, linesOf } from './daemon.ts';
import { PROGRAM } from './program.ts';

export class Lab {
  readonly scratch = new Scratch();
  /** The mount point. */
  readonly at: string;
  readonly #daemons: Daemon[] = [];

  constructor(filesystem: 'tmpfs' | 'ext4' | 'overlay' = 'tmpfs') {
    this.at = this.scratch[filesystem]('fs');
  }

  /** A trace that is not yet ready. `wrap`: a command to run it under. */
  spawn(args: readonly string[], wrap: readonly string[] = []): Daemon {
    const [file = '', ...rest] = [...wrap, process.execPath, PROGRAM, 'trace', ...args];
    return this.attend(spawn(file, rest, { cwd: this.at, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Ends with the lab. */
  attend(child: ChildProcess): Daemon {
    const daemon = new Daemon(child, this.at);
    this.#daemons.push(daemon);
    return daemon;
  }

  async start(...args: string[]): Promise<Daemon> {
    const daemon = this.spawn(args);
    await daemon.ready();
    return daemon;
  }

  path(name: string): string {
    return join(this.at, name);
  }

  /** Runs a script with the mount as its directory. */
  shell(script: string): void {
    const ran = spawnSync('bash', ['-ec', script], { cwd: this.at, encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`exit ${ran.status}: ${script}\n${ran.stdout}${ran.stderr}`);
  }

  /** Waits for a line with all of `words`, and returns the lines so far. */
  async lines(trace: Daemon, ...words: string[]): Promise<string[]> {
    await trace.until(words.join(' '), () =>
      complete(trace).some((line) => words.every((word) => line.includes(word))),
    );
    return complete(trace);
  }

  /** The same, of `--json`. */
  async records(trace: Daemon, ...words: string[]): Promise<Fields[]> {
    return linesOf((await this.lines(trace, ...words)).join('\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) await daemon.kill();
    this.scratch[Symbol.dispose]();
  }
}

function complete(trace: Daemon): string[] {
  return trace.stdout().split('\n').slice(0, -1);
}
