// A running source, with its events in a list that tests can wait for.
import { spawn } from 'node:child_process';
import { createInodeTable } from '../../src/domain/inode-table.ts';
import { pathFromText } from '../../src/domain/path.ts';
import type { Rule, ScopeSettings } from '../../src/domain/rule.ts';
import type { WatchEvent } from '../../src/engine/ports/event-source.ts';
import { type FanotifySource, openFanotifySource } from '../../src/watch/fanotify-source.ts';

export type DirtyEvent = Extract<WatchEvent, { kind: 'dirty' }>;

export interface ProbeOptions {
  readonly marks?: 'auto' | 'mount';
  readonly who?: 'map' | 'proc';
  readonly ignore?: readonly string[];
  /** Of the one rule. */
  readonly exclude?: readonly string[];
  readonly own?: readonly string[];
  readonly oneFileSystem?: boolean;
  readonly verifyMs?: number;
  readonly inodes?: SharedArrayBuffer;
}

export function ruleFor(paths: readonly string[], oneFileSystem = false): Rule {
  return {
    name: 'test',
    paths: paths.map(pathFromText),
    exclude: [],
    attributes: { names: new Set(), growing: false },
    severity: 'normal',
    onDrift: 'report',
    hooks: [],
    oneFileSystem,
  };
}

export class Probe {
  readonly source: FanotifySource;
  readonly problems: string[];
  readonly ended: Promise<void>;
  readonly #roots: readonly string[];
  #events: WatchEvent[] = [];
  #check: (() => void) | undefined;
  #cookies = 0;

  private constructor(source: FanotifySource, problems: string[], roots: readonly string[]) {
    this.source = source;
    this.problems = problems;
    this.#roots = roots;
    this.ended = this.#consume();
  }

  static async open(roots: readonly string[], options: ProbeOptions = {}): Promise<Probe> {
    const scope: ScopeSettings = {
      rules: [{ ...ruleFor(roots, options.oneFileSystem), exclude: options.exclude ?? [] }],
      ignore: options.ignore ?? [],
      own: (options.own ?? []).map(pathFromText),
    };
    const problems: string[] = [];
    const onProblem = (message: string): number => problems.push(message);
    const { marks = 'auto', who = 'proc', verifyMs = 60_000, inodes = createInodeTable(0).memory } = options;
    return new Probe(await openFanotifySource({ scope, marks, who, verifyMs, inodes, onProblem }), problems, roots);
  }

  async #consume(): Promise<void> {
    for await (const batch of this.source.events()) {
      this.#events.push(...batch);
      this.#check?.();
    }
  }

  get events(): readonly WatchEvent[] {
    return this.#events;
  }

  /** Resolves with the events so far as soon as one of them passes; the test's time-out is the limit. */
  waitFor(passes: (event: WatchEvent) => boolean): Promise<readonly WatchEvent[]> {
    return new Promise((resolve) => {
      this.#check = () => {
        if (!this.#events.some(passes)) return;
        this.#check = undefined;
        resolve(this.#events);
      };
      this.#check();
    });
  }

  /** Runs a shell script in a process of its own and returns all that it caused: up to the event of a cookie file. */
  async run(script: string, cookieDir = this.#roots[0]!): Promise<readonly WatchEvent[]> {
    this.#events = [];
    this.#cookies += 1;
    const cookie = `${cookieDir}/.cookie-${this.#cookies}`;
    await shell(`set -e\n${script}\necho > '${cookie}'`);
    await this.waitFor((event) => event.kind === 'dirty' && event.path === cookie);
    return this.#events.filter((event) => event.kind !== 'dirty' || !event.path.includes('/.cookie-'));
  }

  /** As `run`: the dirty paths, each once, sorted; a subtree with a slash at its end. */
  async dirtyAfter(script: string): Promise<string[]> {
    const dirty = (await this.run(script)).filter((event): event is DirtyEvent => event.kind === 'dirty');
    return [...new Set(dirty.map(({ path, subtree }) => (subtree ? `${path}/` : path)))].sort();
  }

  close(): Promise<void> {
    return this.source.close();
  }
}

/** Not synchronous: the main thread has to go on taking events. */
export function shell(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${script}\n${Buffer.concat(said)}`))));
  });
}
