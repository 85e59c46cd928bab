// What the baseline has of some trees.
import { countRecords } from '../domain/packed.ts';
import { type BytePath, dirOf, nameOf } from '../domain/path.ts';
import type { Baseline } from '../engine/ports/store.ts';

/** The packed runs of the roots, none below another, and of everything below them. A root's own record is in the directory above. */
export function* runsOf(baseline: Baseline, roots: readonly BytePath[]): Generator<Buffer> {
  for (const root of roots) {
    yield baseline.names(dirOf(root), [nameOf(root)]);
    for (const { run } of baseline.below(root)) yield run;
  }
}

export function countEntries(baseline: Baseline, roots: readonly BytePath[]): number {
  let count = 0;
  for (const run of runsOf(baseline, roots)) count += countRecords(run);
  return count;
}
