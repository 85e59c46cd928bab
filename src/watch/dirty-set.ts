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
}

export class DirtySet {
  #paths: BytePath[] = [];
  #subtree: boolean[] = [];
  #actorOf: number[] = [];
  #actors: Actor[] = [];
  #latest = new Map<string, number>();
  #actorIndex = new Map<Actor, number>();

  get size(): number {
    return this.#paths.length;
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
    const columns = { paths: this.#paths, subtree: this.#subtree, actorOf: this.#actorOf, actors: this.#actors };
    this.#paths = [];
    this.#subtree = [];
    this.#actorOf = [];
    this.#actors = [];
    this.#latest = new Map();
    this.#actorIndex = new Map();
    return columns;
  }
}
