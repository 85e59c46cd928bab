// A watch whose table of inodes is cleared and filled again and again, as names that come and go take its room: changes through
// other names are found all the same.
import { expect, test } from 'vitest';
import type { Entry } from '../../../src/domain/entry.ts';
import { createInodeTable, inodeKey } from '../../../src/domain/inode-table.ts';
import type { WatchEvent } from '../../../src/engine/ports/event-source.ts';
import { digestOf, entry, path } from '../../fakes/entry.ts';
import { randomOf } from '../../fakes/random.ts';
import { Ground } from './ground.ts';
import { event, Watching } from './watching.ts';

const SEEDS = 14;
const STEPS = 200;
const NAMES = Array.from('abcdefghijklmnop', (letter) => `/r/${letter}`);
const IN_BASELINE = 8;
/** Room for 28 names, of which 24 at most are needed at a time. */
const SLOTS = 36;
const UNKNOWN = { source: 'unknown' } as const;

class Story {
  readonly #random: (below: number) => number;
  readonly #ground = new Ground();
  readonly #watching = new Watching(this.#ground);
  readonly #files = new Map<string, Entry>();
  #inodes = 100n;
  #contents = 0;
  cleared = 0;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  async run(): Promise<void> {
    for (const name of NAMES.slice(0, IN_BASELINE)) this.#files.set(name, this.#fresh(name));
    await this.#ground.start(...this.#files.values());
    let hours = 0;
    // Each time that it is asked for, it may be cleared once more.
    const monotonicMs = (): number => {
      hours += 1;
      return hours * 3_600_001;
    };
    const table = createInodeTable(0, SLOTS);
    const { clear } = table;
    const onFull = (): void => expect.unreachable();
    const counting = (): void => {
      this.cleared += 1;
      clear();
    };
    try {
      await this.#watching.begin({
        inodeNames: { table: { ...table, clear: counting }, clock: { monotonicMs }, onFull },
      });
      for (let step = 0; step < STEPS; step += 1) {
        this.#watching.source.say(...this.#step());
        await this.#watching.clock.advance(this.#random(3) * 70);
      }
      await this.#judge();
    } finally {
      await this.#watching.stop();
      this.#ground.close();
    }
  }

  #step(): WatchEvent[] {
    const name = NAMES[this.#random(NAMES.length)] ?? '';
    const file = this.#files.get(name);
    if (file === undefined) return this.#come(name);
    switch (this.#random(5)) {
      case 0:
        this.#files.delete(name);
        this.#ground.disk.remove(file.path);
        return [event(name), ...this.#tell(file)];
      case 1:
        // rename(2) of an equal file over it.
        return this.#put({ ...file, inode: this.#nextInode() }, event(name));
      case 2:
        return this.#change(file, event(name));
      default:
        // Through a name that no rule covers.
        return this.#change(file);
    }
  }

  #come(name: string): WatchEvent[] {
    const others = [...this.#files.values()];
    const other = others[this.#random(others.length * 2)];
    const file = other === undefined ? this.#fresh(name) : { ...other, path: path(name) };
    return this.#put(file, event(name));
  }

  #change(file: Entry, ...events: WatchEvent[]): WatchEvent[] {
    this.#contents += 1;
    for (const one of this.#files.values())
      if (one.inode === file.inode) this.#put({ ...one, digest: digestOf(`c${this.#contents}`) });
    return [...events, ...this.#tell(file)];
  }

  #put(file: Entry, ...events: WatchEvent[]): WatchEvent[] {
    this.#files.set(file.path, file);
    this.#ground.disk.set(file);
    return events;
  }

  /** As the thread that reads events does it. */
  #tell({ inode }: Entry): WatchEvent[] {
    const [key, { inodes }] = [inodeKey(inode), this.#watching];
    inodes.noteChange(key);
    return inodes.has(key) ? [{ kind: 'linked', inodeKeys: [key], actor: UNKNOWN }] : [];
  }

  #nextInode(): bigint {
    this.#inodes += 1n;
    return this.#inodes;
  }

  #fresh(name: string): Entry {
    this.#contents += 1;
    return entry(name, { inode: this.#nextInode(), digest: digestOf(`c${this.#contents}`) });
  }

  /** When nothing has happened for a while, to look at everything finds nothing more. */
  async #judge(): Promise<void> {
    for (let ms = 0; ms < 5_000; ms += 100) await this.#watching.clock.advance(100);
    const told = this.#watching.journal('"drift"').length;
    const open = this.#ground.open();
    this.#watching.source.say(event('/r', true));
    for (let ms = 0; ms < 5_000; ms += 100) await this.#watching.clock.advance(100);
    expect([this.#watching.journal('"drift"').length, this.#ground.open()]).toEqual([told, open]);
  }
}

test('what changes through other names is found, however often the names are taken in again', async () => {
  let cleared = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const story = new Story(seed);
    await story.run().catch((cause: unknown) => {
      throw new Error(`seed ${seed}`, { cause });
    });
    cleared += story.cleared;
  }
  expect(cleared).toBeGreaterThan(SEEDS);
});
