// The built program on filesystems of its own: a site (mounts, configuration, state) and a running watch, which tests wait
// for by its records. Whatever a test expects in vain is shown with everything that the watch said.
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathFromLatin1 } from '../../src/domain/path.ts';
import { Scratch } from '../kernel/scratch.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const WAIT_MS = 30_000;
const POLL_MS = 5;

/** A record, as JSON.parse gives it. */
export type Fields = Readonly<Record<string, unknown>>;
type RuleFields = { readonly name?: string; readonly paths?: readonly string[] } & Fields;

export interface SiteOptions {
  readonly filesystem?: 'tmpfs' | 'ext4';
  /** Beside name and paths; of the one rule of the site. */
  readonly rule?: RuleFields;
  readonly hooks?: Fields;
  readonly watch?: Fields;
  readonly ignore?: readonly string[];
  /** The state lies under the watched directory; default: beside the mount. */
  readonly inside?: boolean;
}

/** A watched directory, a configuration for it and a baseline: nothing else of the machine is touched. */
export class Site {
  readonly scratch = new Scratch();
  /** The mount point; `root` and `outside` are in it. */
  readonly mount: string;
  /** What the rule covers. */
  readonly root: string;
  readonly outside: string;
  readonly config: string;
  baseline: string;
  readonly #daemons: Daemon[] = [];
  #options: SiteOptions;

  constructor(options: SiteOptions = {}) {
    this.#options = options;
    this.mount = options.filesystem === 'ext4' ? this.scratch.ext4('fs') : this.scratch.tmpfs('fs');
    this.root = join(this.mount, 'root');
    this.outside = join(this.mount, 'outside');
    for (const dir of [this.root, this.outside, this.cookies]) mkdirSync(dir);
    this.config = join(this.scratch.dir, 'driftline.yaml');
    this.baseline = join(options.inside ? this.root : this.scratch.dir, 'state/baseline.db');
    this.configure();
  }

  /** Files whose appearance says that everything before them has been seen; covered by a rule of their own. */
  get cookies(): string {
    return join(this.mount, 'cookies');
  }

  /** Writes the configuration (JSON is YAML). */
  configure(options: SiteOptions = {}, rules: readonly Fields[] = []): void {
    this.#options = { ...this.#options, ...options };
    const { rule, hooks, watch, ignore } = this.#options;
    const settings = {
      baseline: this.baseline,
      watch: { quiet: '40ms', deadline: '1s', ...watch },
      rules: [
        { name: 'site', paths: [this.root], ...rule },
        { name: 'cookies', paths: [this.cookies], onDrift: 'accept' },
        ...rules,
      ],
      ...(hooks === undefined ? {} : { hooks }),
      ...(ignore === undefined ? {} : { ignore }),
    };
    writeFileSync(this.config, JSON.stringify(settings, undefined, 1), { mode: 0o600 });
  }

  /** Before the first `init`. */
  stateIn(directory: string): void {
    this.baseline = join(directory, 'baseline.db');
    this.configure();
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** Runs a script with the watched directory as its current one. */
  shell(script: string): string {
    const ran = spawnSync('bash', ['-ec', script], { cwd: this.root, encoding: 'latin1' });
    if (ran.status !== 0) throw new Error(`exit ${ran.status}: ${script}\n${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  driftline(...args: string[]): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, [MAIN, '--config', this.config, ...args], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
  }

  /** The same, while this process goes on. */
  async driftlineBeside(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [MAIN, '--config', this.config, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { status, stdout: stdout(), stderr: stderr() };
  }

  /** The JSON that a command prints; it must succeed unless `statuses` says otherwise. */
  json(args: readonly string[], statuses: readonly number[] = [0]): Fields {
    const ran = this.driftline(...args, '--json');
    if (!statuses.includes(ran.status ?? -1)) throw new Error(`exit ${ran.status}: ${args.join(' ')}\n${ran.stderr}`);
    return JSON.parse(ran.stdout) as Fields;
  }

  check(): Fields {
    return this.json(['check'], [0, 1, 2, 3, 4, 5, 6, 7]);
  }

  journal(): Fields[] {
    const ran = this.driftline('journal', '--json');
    if (ran.status !== 0) throw new Error(ran.stderr);
    return linesOf(ran.stdout);
  }

  init(): void {
    const ran = this.driftline('init', '--force');
    if (ran.status !== 0) throw new Error(`init: exit ${ran.status}\n${ran.stderr}`);
  }

  /** A watch that is not yet ready. `wrap`: a command to run it under. */
  spawn(options: { readonly env?: NodeJS.ProcessEnv; readonly wrap?: readonly string[] } = {}): Daemon {
    const [program = '', ...args] = [...(options.wrap ?? []), process.execPath, MAIN];
    const child = spawn(program, [...args, '--config', this.config, 'watch', '--json'], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const daemon = new Daemon(child, this.cookies);
    this.#daemons.push(daemon);
    return daemon;
  }

  async start(options: { readonly env?: NodeJS.ProcessEnv } = {}): Promise<Daemon> {
    const daemon = this.spawn(options);
    await daemon.ready();
    return daemon;
  }

  /** `init`, then a watch that is ready. */
  async begin(): Promise<Daemon> {
    this.init();
    return await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) await daemon.kill();
    this.scratch[Symbol.dispose]();
  }
}

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
  #taken = 0;
  #serial = 0;

  constructor(child: ChildProcess, cookies: string) {
    this.#child = child;
    this.#cookies = cookies;
    this.pid = child.pid ?? -1;
    this.stdout = collect(child.stdout);
    this.stderr = collect(child.stderr);
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#isOver = true;
        resolve({ code, signal });
      });
    });
  }

  /** Everything printed so far that is a complete record. */
  records(): Fields[] {
    const text = this.stdout();
    return linesOf(text.slice(0, text.lastIndexOf('\n') + 1));
  }

  /** Waits until `found` gives something; fails with all that the watch said when it ends or takes too long. */
  async until<T>(what: string, found: () => T | undefined | false): Promise<T> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
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

/** One line for a record: what it says and of what, below `root`. */
export function brief(record: Fields, root: string): string {
  const name = (key: string): string => nameOf(record, key).replace(`${root}/`, '').replace(root, '.');
  if (record['type'] !== 'drift') return `${record['type']} ${name('path')}`;
  const from = record['from'] === undefined ? '' : ` from ${name('from')}`;
  const entries = record['entries'] === undefined ? '' : ` (${record['entries']})`;
  const changed = Array.isArray(record['changed']) ? record['changed'].join(' ') : '';
  return `${record['kind']} ${name('path')}${from}${entries}${changed === '' ? '' : `: ${changed}`}`;
}

export function briefs(records: readonly Fields[], root: string): string[] {
  return records.map((record) => brief(record, root)).sort();
}

/** A path of a record as bytes. */
function nameOf(record: Fields, key: string): string {
  const bytes = record[`${key}Bytes`];
  if (typeof bytes === 'string') return pathFromLatin1(Buffer.from(bytes, 'base64').toString('latin1'));
  return Buffer.from(String(record[key])).toString('latin1');
}

function linesOf(text: string): Fields[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Fields);
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => {
    if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
    return (chunks[0] ?? Buffer.alloc(0)).toString('utf8');
  };
}
