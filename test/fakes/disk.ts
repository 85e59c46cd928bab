// A disk in memory that keeps the port's promises.
import type { Entry } from '../../src/domain/entry.ts';
import { packRun } from '../../src/domain/packed.ts';
import { type BytePath, comparePaths, dirOf, isWithin, nameOf, rebasePath } from '../../src/domain/path.ts';
import type { Disk, Page } from '../../src/engine/ports/disk.ts';

export interface FakeDisk extends Disk {
  set(entry: Entry): void;
  /** With everything below. */
  remove(path: BytePath): void;
  move(from: BytePath, to: BytePath): void;
  /** Reading this directory fails from now on. */
  fail(dir: BytePath, errno: number): void;
  entries(): readonly Entry[];
}

export function createFakeDisk(entries: readonly Entry[]): FakeDisk {
  let all = new Map(entries.map((one) => [one.path, one]));
  const failing = new Map<BytePath, number>();
  const childrenOf = (dir: BytePath): Entry[] =>
    [...all.values()].filter((one) => dirOf(one.path) === dir).sort((a, b) => comparePaths(a.path, b.path));

  const page = (dir: BytePath, found: readonly Entry[], extent: Page['extent']): Page => {
    const failed = failing.get(dir) ?? 0;
    return { dir, extent, records: packRun(failed === 0 ? found : []), failed, bytesRead: 0, trusted: 0 };
  };
  const names = (dir: BytePath, wanted: readonly BytePath[]): Page => {
    const found = childrenOf(dir).filter((one) => wanted.includes(nameOf(one.path)));
    return page(dir, found, { kind: 'names', names: wanted });
  };
  function* tree(dir: BytePath): Generator<Page> {
    const children = childrenOf(dir);
    yield page(dir, children, { kind: 'range', after: undefined, upTo: undefined });
    if (failing.has(dir)) return;
    for (const child of children) if (child.type === 'directory') yield* tree(child.path);
  }

  return {
    async *walk(roots, { signal } = {}) {
      for (const root of roots) {
        signal?.throwIfAborted();
        yield names(dirOf(root), [nameOf(root)]);
        if (all.get(root)?.type !== 'directory') continue;
        for (const one of tree(root)) {
          signal?.throwIfAborted();
          yield one;
        }
      }
    },
    read: (dir, wanted, contentMaxBytes = Number.POSITIVE_INFINITY) => {
      const isLarge = (one: Entry): boolean => one.type === 'file' && one.sizeBytes > contentMaxBytes;
      const postponed = childrenOf(dir)
        .filter(isLarge)
        .map(({ path }) => nameOf(path));
      const read = wanted.filter((name) => !postponed.includes(name));
      return Promise.resolve({ ...names(dir, read), postponed: wanted.filter((name) => postponed.includes(name)) });
    },
    digestPrefix: () => Promise.resolve({ errno: 5 }),
    close: () => Promise.resolve(),
    set: (one) => all.set(one.path, one),
    remove(path) {
      all = new Map([...all].filter(([known]) => !isWithin(known, path)));
    },
    move(from, to) {
      const moved = [...all.values()].filter((one) => isWithin(one.path, from));
      this.remove(from);
      for (const one of moved) {
        const path = rebasePath(one.path, from, to);
        all.set(path, { ...one, path });
      }
    },
    fail: (dir, errno) => failing.set(dir, errno),
    entries: () => [...all.values()],
  };
}
