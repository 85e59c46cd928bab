// Where directories were: one that is gone when its last events are read has no path any more, but it was made, entered or
// read a moment before.
import { type BytePath, isWithin, rebasePath } from '../domain/path.ts';

const KEPT_MAX = 16_384;

/** Paths by file id; bounded, the longest unused are forgotten. */
export class DirectoryMemory {
  readonly #paths = new Map<string, readonly BytePath[]>();

  keep(id: string, paths: readonly BytePath[]): void {
    this.#paths.delete(id);
    this.#paths.set(id, paths);
    const oldest = this.#paths.size > KEPT_MAX ? this.#paths.keys().next().value : undefined;
    if (oldest !== undefined) this.#paths.delete(oldest);
  }

  recall(id: string): readonly BytePath[] {
    return this.#paths.get(id) ?? [];
  }

  /** A directory was renamed: what was in it is now there. */
  move(from: BytePath, to: BytePath): void {
    for (const [id, paths] of this.#paths) {
      if (!paths.some((path) => isWithin(path, from))) continue;
      this.#paths.set(
        id,
        paths.map((path) => (isWithin(path, from) ? rebasePath(path, from, to) : path)),
      );
    }
  }
}
