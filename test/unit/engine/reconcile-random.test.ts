// Random renames, writes and removals, told in random batches: what was said must add up to what is there.
import { expect, test } from 'vitest';
import type { IsHeld } from '../../../src/domain/batch.ts';
import type { Entry } from '../../../src/domain/entry.ts';
import { errorCode } from '../../../src/domain/errors.ts';
import { readRecord, recordOffsets } from '../../../src/domain/packed.ts';
import { type BytePath, comparePaths, dirOf, isWithin, rebasePath } from '../../../src/domain/path.ts';
import { isStandIn } from '../../../src/domain/stand-in.ts';
import type { Store } from '../../../src/engine/ports/store.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { randomOf } from '../../fakes/random.ts';
import { rule } from '../../fakes/rule.ts';
import { dir, Ground } from './ground.ts';

const STEPS = 150;
/** What is told may have to be looked at again, but not for ever. */
const ROUNDS_MAX = 20;

test.each([
  [30, Number.POSITIVE_INFINITY, false, false],
  [12, 1, false, false],
  [50, 1, true, false],
  [12, 4, true, false],
  [40, Number.POSITIVE_INFINITY, true, true],
  [32, 4, false, true],
  [40, 1, true, true],
] as const)(
  '%d trees of random changes, in slices of %d, inodes known: %s, others have turns: %s',
  async (trees, sliceMax, hasNames, hasTurns) => {
    for (let seed = 1; seed <= trees; seed += 1) {
      const ground = new Ground();
      Object.assign(ground, { sliceMax, hasNames });
      try {
        await new Story(ground, seed, hasTurns).run();
      } finally {
        ground.close();
      }
    }
  },
  240_000,
);

class Story {
  readonly #ground: Ground;
  readonly #random: (below: number) => number;
  readonly #seed: number;
  readonly #log: string[] = [];
  #pending: string[] = [];
  #next = 1000;
  #isTelling = false;
  #isTurn = false;

  constructor(ground: Ground, seed: number, hasTurns: boolean) {
    this.#ground = ground;
    if (hasTurns) ground.between = (isHeld) => this.#turn(isHeld);
    this.#seed = seed;
    this.#random = randomOf(seed);
    // Every other tree has a part in which everything is meant.
    if (seed % 2 === 0) ground.rules = [rule('all', ['/r']), rule('web', ['/r/d1'], { onDrift: 'accept' })];
  }

  async run(): Promise<void> {
    await this.#ground.start(...firstTree().slice(1));
    for (let step = 0; step < STEPS; step += 1) {
      this.#change();
      if (this.#random(3) > 0) continue;
      await this.#tell(this.#random(2) === 0 ? this.#pending.length : this.#random(this.#pending.length + 1));
      if (this.#pending.length > 0) continue;
      this.#judge();
      if (this.#random(6) === 0) await this.#accept();
    }
    for (let round = 0; this.#pending.length > 0; round += 1) {
      expect(round, this.#story()).toBeLessThan(ROUNDS_MAX);
      await this.#tell(this.#pending.length);
    }
    this.#judge();
  }

  /** One of the drifts that are open, or all: the rest must stay right, and be told in the same way by a whole look. */
  async #accept(): Promise<void> {
    const open = [...this.#ground.store.openDrift()];
    const one = open[this.#random(open.length)];
    if (one === undefined) return;
    const how = this.#random(8);
    this.#log.push(`  accept ${how === 0 ? 'all' : how < 4 ? `just ${one.path}` : one.path}`);
    try {
      const report = how > 0 && how < 4 ? one.id : undefined;
      const { again } = await this.#ground.accept(how < 4 ? [] : [one.path], { report });
      if (again.length > 0) this.#log.push(`  again: ${(await this.#ground.dirty(...again)).join(', ')}`);
    } catch (error) {
      // Below what is a file in the baseline, and not to be accepted without that.
      if (errorCode(error) !== 'USAGE') throw new Error(this.#story(), { cause: error });
      this.#log.push('  refused');
    }
    this.#judge();
    this.#log.push(`  then found: ${(await this.#ground.dirty('/r/')).join(', ')}`);
    this.#judge();
  }

  #judge(): void {
    const { store, told } = this.#ground;
    const open = [...store.openDrift()].map((one) => ({ ...one, after: told.get(one.id)?.after }));
    const view = applied(inBaseline(store), open);
    expect(view, this.#story()).toEqual(named(this.#ground.disk.entries()));
  }

  #story(): string {
    return `seed ${this.#seed}\n${this.#log.join('\n')}`;
  }

  async #tell(count: number): Promise<void> {
    const batch = this.#pending.splice(0, count);
    if (batch.length === 0) return;
    const isOuter = !this.#isTelling;
    this.#isTelling = true;
    this.#log.push(`  told ${batch.join(' ')}: ${(await this.#ground.dirty(...batch)).join(', ')}`);
    if (isOuter) this.#isTelling = false;
    this.#pending.push(...this.#ground.left.splice(0).map(({ path: at, subtree }) => (subtree ? `${at}/` : at)));
  }

  /** While a batch is compared more happens, and some of what has nothing to do with it is told. */
  async #turn(isHeld: IsHeld): Promise<void> {
    if (!this.#isTelling || this.#isTurn || this.#random(3) > 0) return;
    this.#isTurn = true;
    this.#log.push('  meanwhile');
    if (this.#random(2) === 0) this.#change();
    const free = this.#pending.filter((name) => !isHeld(path(name.replace(/(.)\/$/, '$1'))));
    const now = new Set(free.slice(0, this.#random(free.length + 1)));
    const later = this.#pending.filter((name) => !now.has(name));
    this.#pending = [...now, ...later];
    this.#ground.isHeld = isHeld;
    await this.#tell(now.size);
    this.#ground.isHeld = () => false;
    this.#isTurn = false;
  }

  #change(): void {
    const { disk } = this.#ground;
    const is = this.#random(8);
    const [one, other] = [is < 6 ? this.#present() : this.#place(), this.#place()];
    const [from, to] = [
      disk.entries().find((has) => has.path === one),
      disk.entries().find((has) => has.path === other),
    ];
    if (is < 5 && from !== undefined && this.#canMove(from, to, other)) {
      if (to !== undefined) disk.remove(to.path);
      disk.move(from.path, other);
      const isTree = from.type === 'directory' ? '/' : '';
      this.#did(`rename ${one} ${other}`, `${one}${isTree}`, `${other}${isTree}`);
    } else if (is === 5 && from !== undefined && this.#isEmpty(from)) {
      disk.remove(from.path);
      this.#did(`remove ${one}`, one);
    } else if (is > 5 && from?.type !== 'directory' && this.#hasParent(one)) {
      const isDirectory = from === undefined && this.#random(2) === 0;
      this.#next += 1;
      const inode = from?.inode ?? BigInt(this.#next);
      if (isDirectory) disk.set(dir(one, inode));
      else disk.set(entry(one, { inode, digest: digestOf(String(this.#random(1000))) }));
      this.#did(`${isDirectory ? 'mkdir' : 'write'} ${one}`, one);
    }
  }

  #did(what: string, ...dirty: string[]): void {
    this.#log.push(what);
    this.#pending.push(...dirty);
  }

  /** Most of the time something that is there. */
  #present(): BytePath {
    const there = this.#ground.disk.entries().filter((one) => one.path !== '/r');
    return this.#random(4) === 0 ? this.#place() : (there[this.#random(there.length)]?.path ?? this.#place());
  }

  #place(): BytePath {
    let at = '/r';
    for (let depth = this.#random(4); depth > 0; depth -= 1) at += `/d${this.#random(4)}`;
    return path(`${at}/${this.#random(2) === 0 ? 'd' : 'f'}${this.#random(4)}`);
  }

  #canMove(from: Entry, to: Entry | undefined, place: BytePath): boolean {
    if (isWithin(place, from.path) || isWithin(from.path, place) || !this.#hasParent(place)) return false;
    return to === undefined || (from.type === to.type && this.#isEmpty(to));
  }

  #isEmpty({ path: at }: Entry): boolean {
    return this.#ground.disk.entries().every((one) => one.path === at || !isWithin(one.path, at));
  }

  #hasParent(place: BytePath): boolean {
    return this.#ground.disk.entries().some((one) => one.path === dirOf(place) && one.type === 'directory');
  }
}

/** Two levels of three directories each, with two files in each, and the root. */
function firstTree(): Entry[] {
  const found = [dir('/r', 1n)];
  const fill = (above: string, depth: number): void => {
    for (const n of [0, 1]) {
      const inode = BigInt(10 + found.length);
      found.push(entry(`${above}/f${n}`, { inode, digest: digestOf(`${above}${n}`) }));
    }
    for (const n of depth > 0 ? [0, 1, 2] : []) {
      found.push(dir(`${above}/d${n}`, BigInt(10 + found.length)));
      fill(`${above}/d${n}`, depth - 1);
    }
  };
  fill('/r', 2);
  return found;
}

interface Open {
  readonly key: BytePath;
  readonly path: BytePath;
  readonly after: Entry | undefined;
}

/** The baseline with drift applied to it, by path. */
function applied(baseline: readonly Entry[], open: readonly Open[]): Record<string, string> {
  const byKey = new Map(open.map((one) => [one.key, one]));
  const places = new Map<BytePath, BytePath>();
  const found: Entry[] = [];
  for (const one of baseline) {
    // What is in place of a stand-in is added; what is below it came along with the directories above.
    const drift = isStandIn(one) ? undefined : byKey.get(one.path);
    if (drift !== undefined) byKey.delete(drift.key);
    const above = dirOf(one.path);
    const along = rebasePath(one.path, above, places.get(above) ?? above);
    // Everything that is removed has a record of its own.
    const place = drift?.after === undefined ? along : drift.path;
    places.set(one.path, place);
    const isThere = drift === undefined || drift.after !== undefined;
    if (isThere && !isStandIn(one)) found.push({ ...(drift?.after ?? one), path: place });
  }
  // What is left is not in the baseline.
  for (const { path: place, after } of byKey.values()) if (after !== undefined) found.push({ ...after, path: place });
  return named(found);
}

/** Parents before their children. */
function inBaseline({ baseline }: Store): Entry[] {
  const found = baseline.find(path('/r'));
  const below = [...baseline.below(path('/r'))];
  const entries = below.flatMap(({ dir: at, run }) =>
    [...recordOffsets(run)].map((offset) => readRecord(run, offset, at)),
  );
  return [...(found === undefined ? [] : [found]), ...entries].sort((a, b) => comparePaths(a.path, b.path));
}

function named(entries: readonly Entry[]): Record<string, string> {
  const shown = entries.map((one) => [
    one.path,
    `${one.type} ${Buffer.from(one.digest?.value ?? []).toString('hex', 0, 4)}`,
  ]);
  return Object.fromEntries(shown);
}
