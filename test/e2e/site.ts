// The built program on filesystems of its own: mounts, configuration, baseline, and the watches that a test starts there.
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Scratch } from '../kernel/scratch.ts';
import { collect, Daemon, type Fields, linesOf } from './daemon.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');

type RuleFields = { readonly name?: string; readonly paths?: readonly string[] } & Fields;

export interface SiteOptions {
  readonly filesystem?: 'tmpfs' | 'ext4' | 'xfs' | 'btrfs' | 'btrfs subvolume' | 'overlay';
  /** Beside name and paths; of the one rule of the site. */
  readonly rule?: RuleFields;
  readonly hooks?: Fields;
  readonly watch?: Fields;
  readonly ignore?: readonly string[];
  /** The state lies under the watched directory; default: beside the mount. */
  readonly inside?: boolean;
}

export interface SpawnOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** A command to run it under. */
  readonly wrap?: readonly string[];
  /** Standard output goes through a file: however slowly the test reads, no line of it is left to the journal alone. */
  readonly toFile?: boolean;
  /** Descriptors that it is to have from 3 on. */
  readonly fds?: readonly number[];
}

/** What is in a file, and what is written to it for as long as a process lives. */
function follow(file: string, pid = 0): NodeJS.ReadableStream {
  const args = ['--lines=+1', '--follow', '--sleep-interval=0.1', `--pid=${pid}`, file];
  return spawn('tail', args, { stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
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
    const { filesystem = 'tmpfs' } = options;
    this.mount = filesystem === 'btrfs subvolume' ? this.scratch.subvolume('fs') : this.scratch[filesystem]('fs');
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

  check(...paths: readonly string[]): Fields {
    return this.json(['check', ...paths], [0, 1, 2, 3, 4, 5, 6, 7]);
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

  /** A watch that is not yet ready. */
  spawn(options: SpawnOptions = {}): Daemon {
    const [program = '', ...args] = [...(options.wrap ?? []), process.execPath, MAIN];
    const file = join(this.scratch.dir, `watch-${this.#daemons.length}.json`);
    const child = spawn(program, [...args, '--config', this.config, 'watch', '--json'], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', options.toFile === true ? openSync(file, 'w') : 'pipe', 'pipe', ...(options.fds ?? [])],
    });
    const output = options.toFile === true ? follow(file, child.pid) : child.stdout;
    const daemon = new Daemon(child, this.cookies, output);
    this.#daemons.push(daemon);
    return daemon;
  }

  async start(options: SpawnOptions = {}): Promise<Daemon> {
    const daemon = this.spawn(options);
    await daemon.ready();
    return daemon;
  }

  /** `init`, then a watch that is ready. */
  async begin(options: SpawnOptions = {}): Promise<Daemon> {
    this.init();
    return await this.start(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) await daemon.kill();
    this.scratch[Symbol.dispose]();
  }
}
