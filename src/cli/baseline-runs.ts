// What the baseline has of some trees.
import { type BytePath, dirOf, nameOf } from '../domain/path.ts';
import type { Baseline } from '../engine/ports/store.ts';

/** The packed runs of the roots, none below another, and of everything below them. A root's own record is in the directory above. */
export function* runsOf(baseline: Baseline, roots: readonly BytePath[]): Generator<Buffer> {
  for (const root of roots) {
    yield baseline.names(dirOf(root), [nameOf(root)]);
    for (const { run } of baseline.below(root)) yield run;
  }
}
