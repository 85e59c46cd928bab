// Drift in the transactions that it is recorded in.
import { driftKey } from '../domain/drift.ts';
import { comparePaths } from '../domain/path.ts';
import type { Attributed } from './attribution.ts';
import type { Reconciled } from './reconcile.ts';

/** Drift in one transaction: what is made of it is in memory at once, and it holds up everything else. */
const PAGE = 2_000;

export type Page = Pick<Reconciled, 'drifts' | 'resolved'>;

/**
 * What is below a directory goes before the directory: its move or removal, when it is accepted, takes along whatever the
 * baseline still has there. What has become a directory goes first: below it nothing is accepted before.
 */
export function pagesOf({ drifts, resolved }: Reconciled): Page[] {
  if (drifts.length + resolved.length <= PAGE) return [{ drifts, resolved }];
  const sorted = [...drifts].sort((a, b) => comparePaths(driftKey(a.drift), driftKey(b.drift)));
  const grown = sorted.filter(isGrown);
  return [
    ...slices([...sorted.filter((one) => !isGrown(one)), ...grown])
      .reverse()
      .map((slice) => ({ drifts: slice, resolved: [] })),
    ...slices(resolved).map((slice) => ({ drifts: [], resolved: slice })),
  ];
}

function isGrown({ drift: { before, after } }: Attributed): boolean {
  return before !== undefined && before.type !== 'directory' && after?.type === 'directory';
}

function slices<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / PAGE) }, (_, n) => list.slice(n * PAGE, (n + 1) * PAGE));
}
