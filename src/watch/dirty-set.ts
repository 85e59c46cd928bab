// Dirty paths on their way to the main thread: each path once for each writer in a row, in order of arrival.
import type { Actor } from '../domain/actor.ts';
import type { BytePath } from '../domain/path.ts';

/** Columns of equal length, cheap to copy between threads. */
export interface DirtyColumns {
  readonly paths: readonly string[];
  readonly subtree: readonly boolean[];
  /** Index into `actors`. */
  readonly actorOf: readonly number[];
  readonly actors: readonly Actor[];
  /** The names of one rename each, as indices into `paths`. */
  readonly renames: readonly (readonly number[])[];
  /** Inodes of the baseline that changed under a name that may not be their only one; parallel to `linkActorOf`. */
  readonly links: readonly number[];
  readonly linkActorOf: readonly number[];
}

/** More are given up for an overflow. */
const PATHS_MAX = 262_144;

export class DirtySet {
  #paths: BytePath[] = [];
  #subtree: boolean[] = [];
  #actorOf: number[] = [];
  #actors: Actor[] = [];
  #renames: number[][] = [];
  #links = new Map<number, number>();
  #latest = new Map<string, number>();
  #actorIndex = new Map<Actor, number>();

  get size(): number {
    return this.#paths.length + this.#renames.length + this.#links.size;
  }

  get isFull(): boolean {
    return this.size > PATHS_MAX;
  }

  add(path: BytePath, subtree: boolean, actor: Actor): void {
    const latest = this.#latest.get(path);
    const actorAt = this.#indexOf(actor);
    if (latest !== undefined && this.#actorOf[latest] === actorAt) {
      this.#subtree[latest] ||= subtree;
      return;
    }
    this.#latest.set(path, this.#paths.length);
    this.#paths.push(path);
    this.#subtree.push(subtree);
    this.#actorOf.push(actorAt);
  }

  /** The names of one rename, which have been added. */
  join(paths: readonly BytePath[]): void {
    const names = [...new Set(paths)].flatMap((path) => this.#latest.get(path) ?? []);
    if (names.length > 1) this.#renames.push(names);
  }

  /** Other names of an inode, by its key; of several writers the last. */
  link(inodeKey: number, actor: Actor): void {
    this.#links.set(inodeKey, this.#indexOf(actor));
  }

  #indexOf(actor: Actor): number {
    let index = this.#actorIndex.get(actor);
    if (index === undefined) {
      index = this.#actors.push(actor) - 1;
      this.#actorIndex.set(actor, index);
    }
    return index;
  }

  /** Hands out everything and starts anew. */
  take(): DirtyColumns {
    const columns = {
      paths: this.#paths,
      subtree: this.#subtree,
      actorOf: this.#actorOf,
      actors: this.#actors,
      renames: this.#renames,
      links: [...this.#links.keys()],
      linkActorOf: [...this.#links.values()],
    };
    this.#paths = [];
    this.#renames = [];
    this.#links = new Map();
    this.#subtree = [];
    this.#actorOf = [];
    this.#actors = [];
    this.#latest = new Map();
    this.#actorIndex = new Map();
    return columns;
  }
}
