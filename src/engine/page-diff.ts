// One page of the disk against the baseline's run of the same names: a merge of two sorted runs, in which equal records
// are compared as bytes and never decoded.

import type { Attribute } from '../domain/attribute.ts';
import { compareEntries, prefixToVerify } from '../domain/compare.ts';
import { type Digest, type Entry, isUnknown } from '../domain/entry.ts';
import { readRecord, recordIncomplete, recordLength, recordName } from '../domain/packed.ts';
import { isSameRecord } from '../domain/packed-same.ts';
import { type BytePath, comparePaths, joinPath } from '../domain/path.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import { isStandIn } from '../domain/stand-in.ts';
import type { Page } from './ports/disk.ts';
import type { Baseline } from './ports/store.ts';

/** What comparing one path found. */
export type Finding =
  | { readonly kind: 'added'; readonly rule: Rule; readonly after: Entry }
  | { readonly kind: 'removed'; readonly rule: Rule; readonly before: Entry }
  | {
      readonly kind: 'changed';
      readonly rule: Rule;
      readonly before: Entry;
      readonly after: Entry;
      readonly changed: readonly Attribute[];
      /** A growing file: these many bytes must still have the old digest. */
      readonly prefixBytes: bigint | undefined;
      /** Their digest now, once it is known. */
      readonly oldPart?: Digest | undefined;
    }
  /** A directory of the baseline that is none any more, whatever else is said of it: what was below it is gone. */
  | { readonly kind: 'lost'; readonly path: BytePath }
  | { readonly kind: 'incomplete'; readonly path: BytePath; readonly errno: number };

/** Nothing that counts differs, but it is another inode. */
export interface Replaced {
  readonly kind: 'replaced';
  readonly after: Entry;
}

/** `known`: the baseline's run of the page's extent. */
export function* diffPage(page: Page, known: Buffer, scope: Scope): Generator<Finding | Replaced> {
  const { dir, records } = page;
  let [at, knownAt] = [0, 0];
  while (at < records.length || knownAt < known.length) {
    const length = at < records.length ? recordLength(records, at) : 0;
    const knownLength = knownAt < known.length ? recordLength(known, knownAt) : 0;
    if (length === knownLength && isSameRecord(records, at, known, knownAt, length)) {
      yield* incompleteAt(records, at, dir);
      at += length;
      knownAt += knownLength;
      continue;
    }
    const order = compareNames(records, at, known, knownAt);
    if (order <= 0) yield* incompleteAt(records, at, dir);
    if (order < 0) yield* added(readRecord(records, at, dir), scope);
    else if (order > 0) yield* missing(readRecord(known, knownAt, dir), scope);
    else yield* present(readRecord(known, knownAt, dir), readRecord(records, at, dir), scope);
    if (order <= 0) at += length;
    if (order >= 0) knownAt += knownLength;
  }
}

export function compareNames(records: Buffer, at: number, known: Buffer, knownAt: number): number {
  if (at >= records.length) return 1;
  if (knownAt >= known.length) return -1;
  const [name, knownName] = [recordName(records, at), recordName(known, knownAt)];
  return name < knownName ? -1 : name > knownName ? 1 : 0;
}

export function* incompleteAt(records: Buffer, at: number, dir: BytePath): Generator<Finding> {
  const errno = recordIncomplete(records, at);
  if (errno !== 0) yield { kind: 'incomplete', path: joinPath(dir, recordName(records, at)), errno };
}

export function* added(after: Entry, scope: Scope): Generator<Finding> {
  const rule = scope.ruleOf(after.path);
  if (rule !== undefined && !isUnknown(after)) yield { kind: 'added', rule, after };
}

export function* missing(before: Entry, scope: Scope): Generator<Finding> {
  yield* removed(before, scope);
  if (before.type === 'directory' && scope.ruleOf(before.path) !== undefined) yield { kind: 'lost', path: before.path };
}

/** An entry of the baseline that the rules do not cover any more is nobody's business. */
export function* removed(before: Entry, scope: Scope): Generator<Extract<Finding, { readonly kind: 'removed' }>> {
  const rule = scope.ruleOf(before.path);
  if (rule !== undefined && !isStandIn(before)) yield { kind: 'removed', rule, before };
}

function* present(before: Entry, after: Entry, scope: Scope): Generator<Finding | Replaced> {
  const rule = scope.ruleOf(after.path);
  if (rule === undefined || isUnknown(after)) return;
  if (isStandIn(before)) yield { kind: 'added', rule, after };
  else yield* changed(before, after, rule);
  // Also where the rule does not look at the type.
  if (before.type === 'directory' && after.type !== 'directory') yield { kind: 'lost', path: before.path };
}

function* changed(before: Entry, after: Entry, rule: Rule): Generator<Finding | Replaced> {
  const attributes = compareEntries(before, after, rule.attributes);
  const prefixBytes = prefixToVerify(before, after, rule.attributes);
  if (attributes.length > 0 || prefixBytes !== undefined) {
    yield { kind: 'changed', rule, before, after, changed: attributes, prefixBytes };
  } else if (before.inode !== after.inode) yield { kind: 'replaced', after };
}

/** The baseline's run for what a page speaks of. */
export function knownRun({ dir, extent }: Page, baseline: Baseline): Buffer {
  if (extent.kind === 'range') return baseline.run(dir, extent.after, extent.upTo);
  return baseline.names(dir, [...extent.names].sort(comparePaths));
}
