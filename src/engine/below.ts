// Everything below what is in doubt as a whole: compared together, or found to be too much for that.
import type { BytePath } from '../domain/path.ts';
import type { Difference } from './findings.ts';
import { holdPaths } from './held-paths.ts';
import type { Finding } from './page-diff.ts';
import { pagesUntil } from './pages-until.ts';
import type { ReconcileParts } from './reconcile.ts';
import type { Slicing } from './slice.ts';
import { findingsOf, removedBelow } from './survey.ts';

export type Below =
  | {
      readonly kind: 'together';
      readonly differences: readonly Difference[];
      readonly incomplete: readonly { readonly path: BytePath; readonly errno: number }[];
    }
  | { readonly kind: 'slices'; readonly slicing: Slicing };

export interface BelowTask {
  /** What is walked: covered by rules, none below another. */
  readonly roots: readonly BytePath[];
  /** What are no directories any more. */
  readonly lost: ReadonlySet<BytePath>;
  /** What is in doubt with everything below it, and what is by itself. */
  readonly trees: readonly BytePath[];
  readonly paths: ReadonlySet<BytePath>;
}

/** When the signal of `slicing` aborts, it returns at once, with a part of what differs. */
export async function compareBelow(
  parts: ReconcileParts,
  { roots, lost, trees, paths }: BelowTask,
  slicing: Slicing | undefined,
): Promise<Below> {
  const differences: Difference[] = [];
  const incomplete: { path: BytePath; errno: number }[] = [];
  const take = (finding: Finding): void => {
    if (finding.kind === 'incomplete') incomplete.push(finding);
    else if (finding.kind !== 'lost') differences.push(finding);
  };
  const tooMuch = (): Below | undefined =>
    slicing !== undefined && differences.length > slicing.togetherMax ? { kind: 'slices', slicing } : undefined;
  if (slicing !== undefined && isMuchOpen(trees, slicing.togetherMax, parts)) return { kind: 'slices', slicing };
  const { holds } = holdPaths([...trees, ...paths]);
  for (const path of lost) {
    for (const finding of removedBelow(path, parts)) {
      take(finding);
      parts.appended?.note(finding);
      const instead = tooMuch();
      if (instead !== undefined) return instead;
    }
  }
  // The seals are read from the whole baseline.
  if (roots.length === 0) return { kind: 'together', differences, incomplete };
  const walk = { roots, seals: parts.baseline.seals() };
  for await (const page of pagesUntil(slicing?.signal, parts.disk, walk)) {
    for await (const finding of findingsOf(page, parts)) {
      take(finding);
      const instead = tooMuch();
      if (instead !== undefined) return instead;
    }
    await slicing?.between(holds);
  }
  return { kind: 'together', differences, incomplete };
}

/** Whether more is open than can be told to be over at once. */
function isMuchOpen(trees: readonly BytePath[], max: number, { store }: ReconcileParts): boolean {
  let count = 0;
  for (const tree of trees) {
    for (const _ of store.openKeysBelow(tree)) {
      count += 1;
      if (count > max) return true;
    }
  }
  return false;
}
