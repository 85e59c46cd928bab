// One page of a directory that has moved, or is in one that has, against what the baseline has of it under its old name.
import { compareEntries } from '../domain/compare.ts';
import type { Drift } from '../domain/drift.ts';
import { isUnknown } from '../domain/entry.ts';
import { readRecord, recordLength, recordName, recordOffsets } from '../domain/packed.ts';
import { isSameRecord } from '../domain/packed-same.ts';
import { type BytePath, joinPath } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import { isStandIn, isStandInRecord } from '../domain/stand-in.ts';
import { added, compareNames, type Finding, incompleteAt, missing } from './page-diff.ts';
import type { Page } from './ports/disk.ts';

export interface OldPlace {
  readonly dir: BytePath;
  /** The baseline's run of it, for the page's extent. */
  readonly run: Buffer;
  /** Whether what had this path is a directory that moved by itself. */
  readonly hasMoved: (path: BytePath) => boolean;
}

export interface MovedPage {
  /** What came and what went; nothing of what is in both places. */
  readonly findings: Finding[];
  /** What came along changed, from its old name. */
  readonly changed: Drift[];
  /** Directories that have a stand-in below the old name, and their old names. */
  readonly standIns: { readonly path: BytePath; readonly old: BytePath }[];
  /** How many entries came along unchanged. */
  readonly along: number;
}

export function compareMoved(page: Page, old: OldPlace, scope: Scope): MovedPage {
  const { dir, records } = page;
  const found = { findings: [] as Finding[], changed: [] as Drift[], standIns: [] as MovedPage['standIns'], along: 0 };
  const came = (at: number): void => {
    found.findings.push(...added(readRecord(records, at, dir), scope));
  };
  const went = (at: number): void => {
    const before = readRecord(old.run, at, old.dir);
    if (!old.hasMoved(before.path)) found.findings.push(...missing(before, scope));
  };
  const stayed = (at: number, oldAt: number): void => {
    const name = recordName(records, at);
    const from = joinPath(old.dir, name);
    const rule = scope.ruleOf(joinPath(dir, name));
    const isOther = rule === undefined || rule.name !== scope.ruleOf(from)?.name;
    const length = recordLength(records, at);
    if (isOther || old.hasMoved(from)) {
      came(at);
      went(oldAt);
    } else if (length === recordLength(old.run, oldAt) && isSameRecord(records, at, old.run, oldAt, length)) {
      found.along += 1;
    } else {
      const [before, after] = [readRecord(old.run, oldAt, old.dir), readRecord(records, at, dir)];
      if (isUnknown(after)) return;
      if (isStandIn(before) || before.type !== after.type) {
        came(at);
        if (before.type !== after.type) went(oldAt);
        else found.standIns.push({ path: after.path, old: from });
        return;
      }
      // A rename itself changes ctime (rename(2)).
      const changed = compareEntries(before, after, rule.attributes).filter((attribute) => attribute !== 'ctime');
      if (changed.length === 0) found.along += 1;
      else found.changed.push({ ...ofRule(rule), kind: 'changed', path: after.path, changed, before, after, from });
    }
  };
  for (let [at, oldAt] = [0, 0]; at < records.length || oldAt < old.run.length; ) {
    const order = compareNames(records, at, old.run, oldAt);
    if (order <= 0) found.findings.push(...incompleteAt(records, at, dir));
    if (order < 0) came(at);
    else if (order > 0) went(oldAt);
    else stayed(at, oldAt);
    const [length, oldLength] = [
      order <= 0 ? recordLength(records, at) : 0,
      order >= 0 ? recordLength(old.run, oldAt) : 0,
    ];
    at += length;
    oldAt += oldLength;
  }
  return found;
}

/**
 * Some of what is in a directory that moved here may have been accepted under its new name before: that is compared with
 * itself, and `others` are the rest. `known`: the baseline's run of the page.
 */
export function apart(page: Page, known: Buffer): { readonly own: Page | undefined; readonly others: Page } {
  if (known.length === 0) return { own: undefined, others: page };
  const present = new Set([...recordOffsets(page.records)].map((at) => recordName(page.records, at)));
  const isOwn = (at: number): boolean => !isStandInRecord(known, at) || !present.has(recordName(known, at));
  const names = new Set([...recordOffsets(known)].filter(isOwn).map((at) => recordName(known, at)));
  const records = (wanted: boolean): Buffer => {
    const offsets = [...recordOffsets(page.records)].filter((at) => names.has(recordName(page.records, at)) === wanted);
    return Buffer.concat(offsets.map((at) => page.records.subarray(at, at + recordLength(page.records, at))));
  };
  const own: Page = { ...page, extent: { kind: 'names', names: [...names] }, records: records(true) };
  return { own, others: { ...page, records: records(false) } };
}

function ofRule({ name, severity }: { readonly name: string; readonly severity: Drift['severity'] }) {
  return { rule: name, severity, entries: undefined };
}
