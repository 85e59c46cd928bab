// A running watch, which tests wait for by its records. Whatever a test expects in vain is shown with everything that the
// watch said.
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as pause } from 'node:timers/promises';

const WAIT_MS = 30_000;
const POLL_MS = 5;

/** A record, as JSON.parse gives it. */
export type Fields = Readonly<Record<string, unknown>>;
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the signal to the end. */
  readonly ms: number;
}

export class Daemon {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Omit<Ended, 'ms'>>;
  readonly #child: ChildProcess;
  readonly #cookies: string;
  #isOver = false;
  /** Bytes of output. */
  #heard = 0;
  readonly #lines: () => string[];
  readonly #records: Fields[] = [];
  #taken = 0;
  #serial = 0;

  constructor(child: ChildProcess, cookies: string, output: NodeJS.ReadableStream | null = child.stdout) {
    this.#child = child;
    this.#cookies = cookies;
    this.pid = child.pid ?? -1;
    this.stdout = collect(output);
    this.#lines = newLines(output);
    for (const stream of [output, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#heard += chunk.length;
      });
    }
    this.stderr = collect(child.stderr);
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#isOver = true;
        resolve({ code, signal });
      });
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Everything printed so far that is a complete record. Each line is parsed once: waits ask again and again, and who is
   * busy with that reads too slowly for a watch that has much to say.
   */
  records(): readonly Fields[] {
    for (const line of this.#lines()) this.#records.push(JSON.parse(line) as Fields);
    return this.#records;
  }

  /** Waits until `found` gives something; fails with all that the watch said when it ends, or says nothing for too long. */
  async until<T>(what: string, found: () => T | undefined | false): Promise<T> {
    let [deadline, heard] = [0, -1];
    for (;;) {
      // A slow machine is no failure: as long as the watch goes on telling, what is waited for may come.
      if (this.#heard !== heard) [deadline, heard] = [Date.now() + WAIT_MS, this.#heard];
      const isLast = this.#isOver || Date.now() > deadline;
      const value = found();
      if (value !== undefined && value !== false) return value;
      if (isLast) throw new Error(`in vain: ${what}\n${this.stderr()}\n${this.stdout().slice(-4000)}`);
      await pause(POLL_MS);
    }
  }

  ready(count = 1): Promise<unknown> {
    return this.until('ready', () => this.stderr().split(/^ready: /m).length > count);
  }

  said(pattern: RegExp): Promise<unknown> {
    return this.until(String(pattern), () => pattern.test(this.stderr()));
  }

  record(matches: (record: Fields) => boolean): Promise<Fields> {
    return this.until(String(matches), () => this.records().find(matches));
  }

  /** Everything recorded since the last call about what was done before this one, but for the cookies. */
  async settled(): Promise<Fields[]> {
    // The records of one batch come in the order of their paths: only another batch says that this one is complete.
    for (let batch = 0; batch < 2; batch += 1) {
      this.#serial += 1;
      const cookie = join(this.#cookies, `${this.pid}-${this.#serial}`);
      writeFileSync(cookie, 'x');
      await this.record(({ path }) => path === cookie);
    }
    const records = this.records();
    const fresh = records.slice(this.#taken);
    this.#taken = records.length;
    return fresh.filter(({ rule, path }) => rule !== 'cookies' && !String(path).startsWith(this.#cookies));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    const start = performance.now();
    this.signal(name);
    const ended = await this.ended;
    return { ...ended, ms: performance.now() - start };
  }

  async kill(): Promise<void> {
    if (!this.#isOver) await this.stop('SIGKILL');
  }
}

export function linesOf(text: string): Fields[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Fields);
}

/** The complete lines that came since the last call. */
function newLines(stream: NodeJS.ReadableStream | null): () => string[] {
  const decoder = new StringDecoder('utf8');
  let fresh: string[] = [];
  let begun = '';
  stream?.on('data', (chunk: Buffer) => {
    const lines = (begun + decoder.write(chunk)).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) if (line !== '') fresh.push(line);
  });
  return () => {
    const lines = fresh;
    fresh = [];
    return lines;
  };
}

export function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => {
    if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
    return (chunks[0] ?? Buffer.alloc(0)).toString('utf8');
  };
}
