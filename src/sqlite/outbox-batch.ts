// Which of the waiting items go into the next batch.
import { type BytePath, dirOf, hasAncestorIn } from '../domain/path.ts';
import type { ClaimOptions, WaitingItem } from '../engine/ports/outbox.ts';

export interface FormedBatch {
  readonly taken: readonly WaitingItem[];
  /** Numbers. */
  readonly dropped: ReadonlySet<number>;
}

/**
 * Takes what waits, in order and in portions, until something of it can be delivered; what it holds back in one portion holds
 * back what comes later for the same paths. `delivering`: the items of open batches.
 */
export function batchFormer(
  delivering: readonly WaitingItem[],
  { maxPaths = Number.POSITIVE_INFINITY, drop = () => new Set() }: ClaimOptions,
): (waiting: readonly WaitingItem[]) => FormedBatch {
  const blocked = trackPaths();
  for (const { paths } of delivering) blocked.add(paths);
  return (waiting) => {
    const dropped = drop(waiting);
    const taken: WaitingItem[] = [];
    const paths = new Set<BytePath>();
    for (const item of waiting) {
      if (dropped.has(item.number)) continue;
      if (blocked.touches(item.paths)) {
        // What comes later for the same path must not overtake it.
        blocked.add(item.paths);
        continue;
      }
      const fresh = item.paths.filter((path) => !paths.has(path));
      if (taken.length > 0 && paths.size + fresh.length > maxPaths) break;
      for (const path of fresh) paths.add(path);
      taken.push(item);
    }
    return { taken, dropped };
  };
}

function trackPaths() {
  const known = new Set<BytePath>();
  const above = new Set<BytePath>();
  return {
    add(paths: readonly BytePath[]): void {
      for (const path of paths) {
        known.add(path);
        for (let dir = dirOf(path); dir.length > 1 && !above.has(dir); dir = dirOf(dir)) above.add(dir);
      }
    },
    touches: (paths: readonly BytePath[]): boolean =>
      known.size > 0 && paths.some((path) => known.has(path) || above.has(path) || hasAncestorIn(path, known)),
  };
}
