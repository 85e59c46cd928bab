// Random renames, writes and removals, told in random batches: what was said must add up to what is there.
import { expect, test } from 'vitest';
import { type DriftRecord, driftKey } from '../../../src/domain/drift.ts';
import type { Entry } from '../../../src/domain/entry.ts';
import { type BytePath, comparePaths, dirOf, isWithin, rebasePath } from '../../../src/domain/path.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { dir, Ground } from './ground.ts';

const TREES = 30;
const STEPS = 150;

test(`${TREES} trees of random changes, ${STEPS} each`, async () => {
  for (let seed = 1; seed <= TREES; seed += 1) {
    const ground = new Ground();
    try {
      await new Story(ground, seed).run();
    } finally {
      ground.close();
    }
  }
}, 120_000);

class Story {
  readonly #ground: Ground;
  readonly #random: (below: number) => number;
  readonly #seed: number;
  readonly #log: string[] = [];
  #pending: string[] = [];
  #next = 1000;

  constructor(ground: Ground, seed: number) {
    this.#ground = ground;
    this.#seed = seed;
    this.#random = randomOf(seed);
  }

  async run(): Promise<void> {
    const baseline = firstTree();
    await this.#ground.start(...baseline.slice(1));
    for (let step = 0; step < STEPS; step += 1) {
      this.#change();
      if (this.#random(3) > 0) continue;
      await this.#tell(this.#random(2) === 0 ? this.#pending.length : this.#random(this.#pending.length + 1));
      if (this.#pending.length === 0) this.#judge(baseline);
    }
  }

  #judge(baseline: readonly Entry[]): void {
    const view = applied(baseline, [...this.#ground.told.values()]);
    expect(view, `seed ${this.#seed}\n${this.#log.join('\n')}`).toEqual(named(this.#ground.disk.entries()));
  }

  async #tell(count: number): Promise<void> {
    const batch = this.#pending.splice(0, count);
    if (batch.length === 0) return;
    this.#log.push(`  told ${batch.join(' ')}: ${(await this.#ground.dirty(...batch)).join(', ')}`);
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

/** The baseline with drift applied to it, by path. */
function applied(baseline: readonly Entry[], drift: readonly DriftRecord[]): Record<string, string> {
  const byKey = new Map(drift.map((record) => [driftKey(record), record]));
  const places = new Map<BytePath, BytePath | undefined>();
  const found: Entry[] = [];
  for (const one of [...baseline].sort((a, b) => comparePaths(a.path, b.path))) {
    const record = byKey.get(one.path);
    const above = dirOf(one.path);
    const parent = places.has(above) ? places.get(above) : above;
    const place = record === undefined ? parent && rebasePath(one.path, above, parent) : record.after?.path;
    places.set(one.path, place);
    if (place !== undefined) found.push({ ...(record?.after ?? one), path: place });
  }
  for (const { kind, after } of byKey.values()) if (kind === 'added' && after !== undefined) found.push(after);
  return named(found);
}

function named(entries: readonly Entry[]): Record<string, string> {
  const shown = entries.map((one) => [
    one.path,
    `${one.type} ${Buffer.from(one.digest?.value ?? []).toString('hex', 0, 4)}`,
  ]);
  return Object.fromEntries(shown);
}

/** mulberry32: the same every time. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
