// A log that may grow, and whatever may become of it, looked at now and then: when nobody has written for a while, what is open is
// what a check finds. One character stands for a mebibyte, so that the old part is not read each time.
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { digestText } from '../../../src/domain/entry.ts';
import { errorCode } from '../../../src/domain/errors.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { randomOf } from '../../fakes/random.ts';
import { rule } from '../../fakes/rule.ts';
import { Ground } from './ground.ts';
import { event, Watching } from './watching.ts';

const MEBIBYTE = 1024 * 1024;
const LOG = path('/r/log');
const SEEDS = 40;
const STEPS = 60;
/** Longer than the old part is ever left alone. */
const LONG_MS = 30_000;

class Story {
  readonly #random: (below: number) => number;
  readonly #ground = new Ground();
  readonly #watching = new Watching(this.#ground);
  /** How far a thread has read a file, and what it believes to be in it. */
  readonly #believed = new Map<bigint, { readonly token: number; readonly text: string }>();
  readonly #told: string[] = [];
  #text = 'a'.repeat(20);
  #baseline: string | undefined = this.#text;
  #isGone = false;
  #inode = 7n;
  #times = 1n;
  wholeReads = 0;
  partialReads = 0;
  oldReads = 0;

  constructor(seed: number) {
    this.#random = randomOf(seed);
    this.#told.push(`seed ${seed}`);
  }

  async run(): Promise<void> {
    this.#ground.rules = [rule('logs', ['/r'], { attributes: { names: new Set(['mode']), growing: true } })];
    await this.#ground.start(this.#entry());
    this.#overrideDisk();
    try {
      await this.#watching.begin();
      for (let step = 0; step < STEPS; step += 1) {
        await this.#step();
        if (step % 10 === 9) await this.#judge();
      }
    } finally {
      await this.#watching.stop();
      this.#ground.close();
    }
  }

  #isDrift(): boolean {
    if (this.#isGone || this.#baseline === undefined) return !this.#isGone || this.#baseline !== undefined;
    return !this.#text.startsWith(this.#baseline);
  }

  #entry(text = this.#text) {
    return entry(LOG, {
      sizeBytes: BigInt(this.#text.length * MEBIBYTE),
      inode: this.#inode,
      ctimeNs: this.#times,
      digest: digestOf(text),
    });
  }

  #overrideDisk(): void {
    const { disk } = this.#ground;
    const { read } = disk;
    disk.read = (dir, names, max, token) => {
      const isThere = disk.entries().some((one) => one.path === LOG);
      if (!isThere || token === undefined) {
        this.wholeReads += 1;
        return read(dir, names, max);
      }
      const known = this.#believed.get(this.#inode);
      const goesOn = known?.token === token && known.text.length < this.#text.length;
      const text = goesOn ? known.text + this.#text.slice(known.text.length) : this.#text;
      this[goesOn ? 'partialReads' : 'wholeReads'] += 1;
      this.#believed.set(this.#inode, { token, text });
      disk.set(this.#entry(text));
      const page = read(dir, names, max);
      disk.set(this.#entry());
      return page;
    };
    disk.digestPrefix = (_, lengthBytes) => {
      this.oldReads += 1;
      const length = Number(lengthBytes) / MEBIBYTE;
      return Promise.resolve(
        length > this.#text.length ? { errno: constants.errno.ENODATA } : digestOf(this.#text.slice(0, length)),
      );
    };
  }

  async #step(): Promise<void> {
    const what = this.#random(16);
    const [wasOpen, wasDrift] = [this.#ground.open().length > 0, this.#isDrift()];
    if (what === 15) await this.#accept();
    else this.#change(what);
    await this.#watching.clock.advance([0, 50, 150, 400, 1_500, 2_500][this.#random(6)] ?? 0);
    // What is open and right is not told to be over.
    if (wasOpen && wasDrift && this.#isDrift()) expect(this.#ground.open(), this.#told.join('\n')).toEqual([LOG]);
  }

  #change(what: number): void {
    const { disk } = this.#ground;
    const more = String(this.#random(10));
    const at = this.#random(Math.max(1, this.#text.length));
    const spoilt = `${this.#text.slice(0, at)}X${this.#text.slice(at + 1)}`;
    const before = this.#text;
    if (what < 7) this.#text += more;
    else if (what === 7) this.#text = spoilt;
    else if (what === 8) this.#text = spoilt + more;
    else if (what === 9) this.#text = `${'a'.repeat(20)}${this.#text.slice(20)}${more}`;
    else if (what === 10) this.#text = this.#text.slice(0, at);
    else if (what === 11) this.#text = 'b'.repeat(before.length + 1 + this.#random(30));
    else if (what === 12) this.#inode += 1n;
    this.#times += 1n;
    this.#told.push(`${what}: ${this.#text}`);
    this.#isGone = what === 13 && this.#random(2) === 0;
    if (this.#isGone) disk.remove(LOG);
    else disk.set(this.#entry());
    this.#watching.source.say(what === 14 ? { kind: 'overflow', sinceMs: 1 } : event('/r/log'));
  }

  /** What was told of a part may be refused once; then it is told as a whole. */
  async #accept(): Promise<void> {
    const isDone = await this.#tryAccept();
    this.#told.push(`accept ${isDone}`);
    if (isDone) return;
    await this.#watching.clock.advance(LONG_MS);
    expect(await this.#tryAccept(), this.#told.join('\n')).toBe(true);
  }

  async #tryAccept(): Promise<boolean> {
    const by = { source: 'unknown' } as const;
    const accepted = this.#watching.watch.accept({ paths: [], report: undefined, reviewed: undefined, by }).then(
      () => {
        // What has only grown is no drift, and stays as it was accepted last.
        if (this.#isDrift()) this.#baseline = this.#isGone ? undefined : this.#accepted();
        return true;
      },
      (error: unknown) => {
        if (errorCode(error) !== 'STALE') throw error;
        return false;
      },
    );
    await this.#watching.clock.advance(1);
    return await accepted;
  }

  /** What there is, or as much of it as was told. */
  #accepted(): string {
    const { sizeBytes = 0n, digest } = this.#ground.store.baseline.find(LOG) ?? {};
    const text = this.#text.slice(0, Number(sizeBytes) / MEBIBYTE);
    expect(digest && digestText(digest), this.#told.join('\n')).toBe(digestText(digestOf(text)));
    return text;
  }

  async #judge(): Promise<void> {
    await this.#watching.clock.advance(LONG_MS);
    const open = [...this.#ground.store.openDrift()].map(
      ({ record }) => JSON.parse(record) as { kind: string; path: string },
    );
    const { found } = await this.#ground.check();
    expect(open.map((one) => `${one.kind} ${one.path}`).sort(), this.#told.join('\n')).toEqual(found);
  }
}

test(`${SEEDS} logs`, async () => {
  const sums = { whole: 0, partial: 0, old: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const story = new Story(seed);
    await story.run();
    sums.whole += story.wholeReads;
    sums.partial += story.partialReads;
    sums.old += story.oldReads;
  }
  // Or what is told here would be told of readings of whole files.
  expect(sums.partial).toBeGreaterThan(SEEDS);
  expect(sums.old).toBeGreaterThan(SEEDS);
});
