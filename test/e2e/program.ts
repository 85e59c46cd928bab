// The built program, run to its end, and a scratch directory to run it on.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test as plain } from 'vitest';

export const PROGRAM = join(import.meta.dirname, '../../dist/cli/main.js');

export interface Ran {
  /** The exit status, 128 + n after signal n, as a shell has it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The directory in which it is called; `/` by default. */
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What the program is run by, e.g. ['setpriv', '--reuid=65534', ...]. */
  readonly by?: readonly string[];
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs `driftline` with these arguments; standard output and error are decoded as UTF-8. */
export function run(args: readonly string[], { cwd = '/', input = '', env = {}, by = [] }: RunOptions = {}): Ran {
  const [file = process.execPath, ...rest] = [...by, process.execPath, PROGRAM, ...args];
  const { status, signal, stdout, stderr, error } = spawnSync(file, rest, {
    cwd,
    input,
    env: { PATH, ...env },
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
    timeout: 110_000,
  });
  if (error !== undefined) throw error;
  return { status: status ?? 128 + (SIGNALS[signal as keyof typeof SIGNALS] ?? 0), stdout, stderr };
}

export interface Drift {
  readonly kind: 'added' | 'removed' | 'changed' | 'moved';
  readonly path: string;
  readonly pathBytes?: string;
  readonly from?: string;
  readonly changed: readonly string[];
  readonly entries?: number;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly id: string;
  readonly rule: string;
}

/** `check --format json`. */
export interface CheckDocument {
  readonly entries: number;
  readonly bytes: number;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly moved: number;
  readonly incomplete: number;
  readonly exitCode: number;
  readonly quick: { readonly trusted: number; readonly by: string; readonly since: string } | null;
  readonly report: string;
  readonly drift: readonly Drift[];
  readonly unreadable: readonly { readonly path: string; readonly incomplete: string }[];
}

export interface Checked extends Ran {
  readonly document: CheckDocument;
}

export interface Scratch {
  /** A private directory, mode 0755, whose components can be trusted. */
  readonly base: string;
  /** `base`/tree, empty at first. */
  readonly tree: string;
  /** `base`/state/baseline.db, not there yet. */
  readonly baseline: string;
  /** Writes a file below the tree, with the directories that it needs; returns its path. */
  write(name: string, text?: string): string;
  /** Writes `base`/driftline.yaml: the scratch's baseline and what else is given; returns its path. */
  configure(yaml: string): string;
  /** `init --force` with the configuration, or over `paths` without one; must succeed. */
  init(...paths: string[]): Ran;
  /** `check --json`, with the configuration when there is one. */
  check(...args: string[]): Checked;
  /** Any command, with the options that name the configuration or the baseline. */
  drive(...args: string[]): Ran;
}

export const test = plain.extend<{ scratch: Scratch }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see which fixtures this one needs
  scratch: async ({}, use) => {
    const base = mkdtempSync(join(tmpdir(), 'driftline-e2e-'));
    try {
      await use(openScratch(base));
    } finally {
      takeDown(base);
    }
  },
});

/** Unmounts everything below, last mounted first, and removes it; rm(1) also knows paths beyond PATH_MAX. */
function takeDown(base: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((at) => at.startsWith(`${base}/`));
  for (const at of mounts.reverse()) system('umount', '-l', at);
  system('rm', '-rf', '--', base);
}

function openScratch(base: string): Scratch {
  chmodSync(base, 0o755);
  const tree = join(base, 'tree');
  mkdirSync(tree);
  const baseline = join(base, 'state/baseline.db');
  let where = ['--baseline', baseline];
  const drive = (...args: string[]): Ran => run([...where, ...args]);
  return {
    base,
    tree,
    baseline,
    drive,
    write(name, text = `${name}\n`) {
      const file = join(tree, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    configure(yaml) {
      const file = join(base, 'driftline.yaml');
      writeFileSync(file, `baseline: ${baseline}\n${yaml}`, { mode: 0o644 });
      where = ['--config', file];
      return file;
    },
    init(...paths) {
      const ran = drive('init', '--force', ...paths);
      if (ran.status !== 0) throw new Error(`init: exit ${ran.status}\n${ran.stderr}`);
      return ran;
    },
    check(...args) {
      const ran = drive('check', '--json', ...args);
      if (ran.stdout === '') throw new Error(`check: exit ${ran.status}\n${ran.stderr}`);
      return { ...ran, document: JSON.parse(ran.stdout) as CheckDocument };
    },
  };
}

/** `changed tree/a`, `moved tree/a -> tree/b`: what a check found, paths relative to `base`. */
export function found({ document }: Checked, { base }: Scratch): string[] {
  const name = (path: string): string => (path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path);
  return document.drift.map(({ kind, path, from }) =>
    from === undefined ? `${kind} ${name(path)}` : `${kind} ${name(from)} -> ${name(path)}`,
  );
}

/** Runs a command of the system, which must succeed. */
export function system(file: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8', env: { PATH } });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${status}\n${stderr}`);
  return stdout;
}
