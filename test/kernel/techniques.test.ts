// Every way to change a file on every filesystem, through the built program: which drift comes, whether an event or the
// sweep finds it, and how long it takes. The table is printed at the end.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Daemon, Fields } from '../e2e/daemon.ts';
import { Site } from '../e2e/site.ts';
import { type Filesystem, type Finder, TECHNIQUES, type Technique } from '../scenarios/catalogue.ts';
import { missingCapability, needCapabilities } from './capability.ts';

const FILESYSTEMS: readonly Filesystem[] = ['ext4', 'xfs', 'btrfs', 'btrfs subvolume', 'tmpfs', 'overlay'];
const QUIET_MS = 40;
const PATIENCE_MS = 240_000;

let tools: string | undefined;
const table = new Map<string, Map<Filesystem, string>>();

beforeEach((context) => {
  needCapabilities(context);
  const missing = ['gcc', 'mkfs.xfs', 'mkfs.btrfs', 'setfattr', 'setfacl'].filter((name) => !isThere(name));
  if (missing.length > 0) context.skip(`needs ${missing.join(' and ')}`);
});

beforeAll(() => {
  if (!isThere('gcc') || missingCapability() !== undefined) return;
  tools = mkdtempSync(join(tmpdir(), 'driftline-techniques-'));
  const source = join(import.meta.dirname, '../scenarios/techniques.c');
  execFileSync('gcc', ['-O1', '-Wall', '-o', join(tools, 'techniques'), source]);
});

afterAll(() => {
  if (tools === undefined) return;
  rmSync(tools, { recursive: true, force: true });
  const used = FILESYSTEMS.filter((filesystem) => [...table.values()].some((row) => row.has(filesystem)));
  const lines = [...table].map(([name, row]) => [name, ...used.map((filesystem) => row.get(filesystem) ?? '')]);
  const rule = ['technique', ...used].map(() => '---');
  const rows = [['technique', ...used], rule, ...lines].map((cells) => `| ${cells.join(' | ')} |\n`);
  process.stdout.write(rows.join(''));
});

test.each(FILESYSTEMS)(
  '%s',
  async (filesystem) => {
    await using stand = new Stand(filesystem);
    await stand.begin();
    const judged = TECHNIQUES.filter((technique) => typeof finderOf(technique, filesystem) === 'string');
    expect(judged.length).toBeGreaterThan(40);
    for (const technique of TECHNIQUES) await stand.event(technique);
    await stand.nothingMore();
    await stand.sweeps(judged.filter((technique) => finderOf(technique, filesystem) === 'sweep'));
    stand.check();
    expect(stand.wrong).toEqual([]);
  },
  PATIENCE_MS,
);

function isThere(program: string): boolean {
  return spawnSync('which', [program]).status === 0;
}

function finderOf(
  { by = 'event', except = {} }: Technique,
  filesystem: Filesystem,
): Finder | { readonly skip: string } {
  return except[filesystem] ?? by;
}

/** One filesystem with one watch, which sweeps what is critical without pause and the rest never. */
class Stand {
  readonly #filesystem: Filesystem;
  readonly #site: Site;
  readonly #releases: (() => Promise<void>)[] = [];
  readonly wrong: unknown[] = [];
  #daemon: Daemon | undefined;

  constructor(filesystem: Filesystem) {
    this.#filesystem = filesystem;
    this.#site = new Site({ filesystem, watch: { sweep: { critical: '1s', normal: 'off' } } });
    const critical = { name: 'swept', paths: [this.#tree('swept')], severity: 'critical' };
    this.#site.configure({ rule: { paths: [this.#tree('told')] } }, [critical]);
  }

  async begin(): Promise<void> {
    this.#site.scratch.bind(this.#site.root, 'bind');
    for (const technique of TECHNIQUES) for (const tree of TREES) this.#run(technique, tree, technique.seed ?? '');
    this.#daemon = await this.#site.begin();
  }

  #tree(tree: Tree): string {
    return join(this.#site.root, tree);
  }

  #place({ name }: Technique, tree: Tree): string {
    return `${tree}/${name.replaceAll(/[^a-zA-Z0-9]+/g, '-')}`;
  }

  #environment(technique: Technique, tree: Tree) {
    const place = this.#place(technique, tree);
    const [cwd, OUT] = [join(this.#site.root, place), join(this.#site.outside, place)];
    const BIND = join(this.#site.scratch.dir, 'bind', place);
    for (const dir of [cwd, OUT]) mkdirSync(dir, { recursive: true });
    return { cwd, env: { ...process.env, OUT, BIND, T: join(tools ?? '', 'techniques') } };
  }

  #run(technique: Technique, tree: Tree, script: string): void {
    execFileSync('bash', ['-ec', script], { ...this.#environment(technique, tree), stdio: 'pipe' });
  }

  /** Resolves when it is done, or holds what it has done. */
  async #act(technique: Technique, tree: Tree): Promise<void> {
    if (!technique.hold) return this.#run(technique, tree, technique.act);
    const child = spawn('bash', ['-ec', `exec ${technique.act}`], {
      ...this.#environment(technique, tree),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.#releases.push(() => {
      child.stdin.end();
      return ended;
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
  }

  /** Does it where nothing sweeps, and waits for its drift when an event must tell of it. */
  async event(technique: Technique): Promise<void> {
    const finder = finderOf(technique, this.#filesystem);
    if (typeof finder !== 'string') return this.#note(technique, finder.skip);
    await this.#act(technique, 'told');
    if (finder === 'event') this.#note(technique, `event, ${await this.#found(technique, 'told')}`);
  }

  /** Only what was expected by event is open now; what is held until now is told when it is let go. */
  async nothingMore(): Promise<void> {
    await this.#daemon?.settled();
    this.#compare('told', (technique) => (this.#isBy(technique, 'event') ? technique.drift : []));
    for (const release of this.#releases.splice(0)) await release();
    for (const technique of TECHNIQUES) if (technique.hold) await this.#found(technique, 'told');
  }

  /** Does it where the sweep looks, and waits for what it finds. */
  async sweeps(techniques: readonly Technique[]): Promise<void> {
    for (const technique of techniques) {
      await this.#act(technique, 'swept');
      this.#note(technique, `sweep, ${await this.#found(technique, 'swept')}`);
    }
    await this.#daemon?.settled();
    this.#compare('swept', (technique) => (techniques.includes(technique) ? technique.drift : []));
  }

  /** What was told last of each path is what a check finds there now; but for what only a sweep would find. */
  check(): void {
    const journal = this.#site.journal().filter(({ type }) => type === 'coverage');
    for (const technique of TECHNIQUES.filter(({ coverage }) => coverage !== undefined)) {
      const place = this.#coverPlace(technique, 'told');
      if (journal.some(({ path, state }) => path === place && state === technique.coverage)) continue;
      this.wrong.push({ technique: technique.name, journal });
    }
    const swept = TECHNIQUES.filter((technique) => this.#isBy(technique, 'sweep') && !technique.hold);
    const unseen = swept.map((technique) => `${join(this.#site.root, this.#place(technique, 'told'))}/`);
    const isSeen = (path: string): boolean => !unseen.some((place) => path.startsWith(place));
    const found = new Map((this.#site.check()['drift'] as Fields[]).map((drift) => [String(drift['path']), drift]));
    const told = new Map(this.#openRecords().map((record) => [String(record['path']), record]));
    for (const path of new Set([...found.keys(), ...told.keys()].filter(isSeen))) {
      const states = [found.get(path), told.get(path)].map((drift) =>
        JSON.stringify([drift?.['kind'], drift?.['after']]),
      );
      if (states[0] !== states[1]) this.wrong.push({ path, found: states[0], told: states[1] });
    }
  }

  #isBy(technique: Technique, finder: Finder): boolean {
    return finderOf(technique, this.#filesystem) === finder;
  }

  #compare(tree: Tree, expected: (technique: Technique) => readonly string[]): void {
    for (const technique of TECHNIQUES) {
      const [found, wanted] = [this.#open(technique, tree), expected(technique)];
      if (found.join() !== wanted.join()) this.wrong.push({ technique: technique.name, tree, found, wanted });
    }
  }

  /** How long the drift took to come, beyond the quiet time. What does not come is noted, and the others go on. */
  async #found(technique: Technique, tree: Tree): Promise<string> {
    const startMs = performance.now();
    const isThere = (): boolean => {
      const found = this.#open(technique, tree);
      return technique.drift.every((drift) => found.includes(drift)) && this.#isCoverageTold(technique, tree);
    };
    try {
      await this.#daemon?.until(technique.name, isThere);
      return `${Math.max(0, Math.round(performance.now() - startMs - QUIET_MS))} ms`;
    } catch (error) {
      this.wrong.push({ technique: technique.name, tree, found: this.#open(technique, tree), wanted: technique.drift });
      if (this.#daemon?.isOver) throw error;
      return 'never';
    }
  }

  #isCoverageTold(technique: Technique, tree: Tree): boolean {
    const said = `coverage: ${this.#coverPlace(technique, tree)} is ${technique.coverage} `;
    return technique.coverage === undefined || this.#daemon?.stderr().includes(said) === true;
  }

  #coverPlace(technique: Technique, tree: Tree): string {
    return join(this.#site.root, this.#place(technique, tree), 'd');
  }

  /** What the records of the watch add up to: open drift below the technique's directory. */
  #open(technique: Technique, tree: Tree): string[] {
    const place = `${join(this.#site.root, this.#place(technique, tree))}/`;
    const here = this.#openRecords().filter(({ path }) => String(path).startsWith(place));
    return here.map((record) => describe(record, place)).sort();
  }

  #openRecords(): Fields[] {
    const open = new Map<unknown, Fields>();
    for (const record of this.#daemon?.records() ?? []) {
      if (record['type'] === 'resolved') open.delete(record['id']);
      if (record['type'] === 'drift' && record['rule'] !== 'cookies') open.set(record['id'], record);
    }
    return [...open.values()];
  }

  #note({ name }: Technique, text: string): void {
    const row = table.get(name) ?? new Map<Filesystem, string>();
    table.set(name, row.set(this.#filesystem, text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const release of this.#releases) await release();
    await this.#site[Symbol.asyncDispose]();
  }
}

const TREES = ['told', 'swept'] as const;
type Tree = (typeof TREES)[number];

function describe({ kind, path, from, entries }: Fields, place: string): string {
  const name = (text: unknown): string => String(text).replace(place, '');
  const names = from === undefined ? name(path) : `${name(from)} -> ${name(path)}`;
  return `${kind} ${names}${entries === undefined ? '' : ` with ${entries}`}`;
}
