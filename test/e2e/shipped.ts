// A shipped hook as driftline runs it: nothing but PATH, LANG and its settings in the environment, bytes on standard input.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const HOOKS = join(import.meta.dirname, '../../hooks');
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Names that have broken programs before, as latin1 text of their bytes. */
export const HOSTILE = [
  '-rf',
  '--help',
  '$(touch pwn)',
  '`id`',
  'new\nline',
  'tab\tand\rreturn',
  'escape\x1b[31m',
  'bad\xff\xfeutf8',
  'n'.repeat(255),
  ' sp  ace ',
  '"quotes\'',
  '#note',
  ';x',
  '*',
  '[a-z]?',
  '\\',
  '\\n',
  ':(glob)**',
];

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Settings = Readonly<Record<string, string | readonly string[]>>;

/** `settings` is what `with:` would set, in the notation of variables: { TARGET: '/x', OPTIONS: ['-a'] }. */
export function environmentOf(settings: Settings): NodeJS.ProcessEnv {
  const pairs = Object.entries(settings).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string'
      ? [[`DRIFTLINE_${name}`, value]]
      : [
          ...value.map((word, index): [string, string] => [`DRIFTLINE_${name}_${index + 1}`, word]),
          [`DRIFTLINE_${name}_COUNT`, String(value.length)],
        ],
  );
  return { PATH, LANG: 'C.UTF-8', DRIFTLINE_NODE: process.execPath, ...Object.fromEntries(pairs) };
}

/** `input` is latin1 text. */
export function runHook(name: string, input: string, settings: Settings = {}, args: readonly string[] = []): Ran {
  return spawnSync(join(HOOKS, name), args, {
    input: Buffer.from(input, 'latin1'),
    env: environmentOf(settings),
    cwd: '/',
    encoding: 'latin1',
    maxBuffer: 1 << 28,
  });
}

/** The same, while this process goes on, for hooks that talk to a server in it. */
export async function runHookBeside(name: string, input: string, settings: Settings = {}): Promise<Ran> {
  const child: ChildProcess = spawn(join(HOOKS, name), [], { env: environmentOf(settings), cwd: '/' });
  const texts = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString('latin1');
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(Buffer.from(input, 'latin1'));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout: texts[0]?.() ?? '', stderr: texts[1]?.() ?? '' };
}

export function isInstalled(...programs: readonly string[]): boolean {
  return programs.every((program) => spawnSync('which', [program], { env: { PATH } }).status === 0);
}

/** A private directory with a tree in it; paths are latin1 text relative to the tree. */
export class Place {
  readonly dir = mkdtempSync(join(tmpdir(), 'driftline-hook-'));
  readonly tree = join(this.dir, 'tree');

  constructor() {
    chmodSync(this.dir, 0o755);
    mkdirSync(this.tree);
  }

  aside(name: string): string {
    return join(this.dir, name);
  }

  write(path: string, text = `${path}\n`): void {
    mkdirSync(bytes(dirname(`${this.tree}/${path}`)), { recursive: true });
    writeFileSync(bytes(`${this.tree}/${path}`), text);
  }

  remove(path: string): void {
    rmSync(bytes(`${this.tree}/${path}`), { recursive: true });
  }

  /** Standard input for these paths. */
  paths0(...paths: readonly string[]): string {
    return paths.map((path) => (path === '' ? `${this.tree}\0` : `${this.tree}/${path}\0`)).join('');
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Everything below a directory that is none itself, as latin1 text relative to it, sorted. */
export function filesBelow(dir: string): string[] {
  const names = readdirSync(bytes(dir), { encoding: 'latin1' });
  const found = names.flatMap((name) => {
    const path = `${dir}/${name}`;
    return lstatSync(bytes(path)).isDirectory() ? filesBelow(path).map((inner) => `${name}/${inner}`) : [name];
  });
  return found.sort();
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

/** Runs a command of the system, which must succeed; latin1 text of what it printed. */
export function system(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const ran = spawnSync(file, args, { encoding: 'latin1', env: { PATH, ...env }, cwd: '/' });
  if (ran.error !== undefined) throw ran.error;
  if (ran.status !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${ran.status}\n${ran.stderr}`);
  return ran.stdout;
}

/** A certificate for localhost that nobody knows: `key.pem` and `cert.pem` beside the tree. */
export function certify(place: Place): { readonly key: Buffer; readonly cert: Buffer } {
  const [key, cert] = [place.aside('key.pem'), place.aside('cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  system('openssl', ['req', '-x509', ...curve, ...name, '-keyout', key, '-out', cert]);
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
