// Logs that may grow: whether the part that the baseline has is still the same. To read a large one after every event would cost
// more than all the rest, so it is taken to be as it was while the log becomes longer, and read again once that has taken no
// more than a small part of the time: what was written into it is found then, if nobody wrote to the log again, too.
import { UNKNOWN_ACTOR } from '../domain/actor.ts';
import { isSameDigest } from '../domain/compare.ts';
import { type Dirty, mergeDirty } from '../domain/dirty.ts';
import type { Digest } from '../domain/entry.ts';
import { type BytePath, isWithin } from '../domain/path.ts';
import type { Appended } from './appended.ts';
import type { Attributed } from './attribution.ts';
import type { Finding } from './page-diff.ts';
import type { Clock } from './ports/clock.ts';

/** A growing file whose old part is to be compared. */
export type Growth = Extract<Finding, { readonly kind: 'changed' }>;

export interface GrowthChecks {
  /** The digest of the old part as it was the last time, if that is good enough now; undefined: it has to be read. */
  lately(growth: Growth): Digest | undefined;
  /** It was read. */
  verified(growth: Growth, oldPart: Digest): void;
  /** What was dirty when it was read: who did it is still to be named, if the old part turns out to be another. */
  keep(dirty: readonly Dirty[]): void;
  /** What was found, with all who wrote since the old part was still the same, where it is another. */
  named(found: Attributed): Attributed;
  /** What has to be read again by now, whoever writes to it or not. */
  takeDue(): Dirty[];
  /** In ms of the monotonic clock; infinite when nothing is left. */
  dueMs(): number;
  /** Whose old part was not read when they were read last. */
  paths(): BytePath[];
  /** The next time it is read. */
  doubt(path: BytePath): void;
  /** All files, also what is known of those that have only become longer: other rules hold now. */
  doubtAll(): void;
}

/** An old part of less than that is read each time. */
const BYTES_MIN = 1024n * 1024n;
/** What is read of the old part of one log, over time. */
const BYTES_PER_MS = 10_000;
/** Of more logs the old part is read each time. */
const FILES_MAX = 256;

interface Check {
  readonly digest: Digest;
  readonly inode: bigint;
  readonly oldPart: Digest;
  /** When it may be read again. */
  fromMs: number;
  sizeBytes: bigint;
  ctimeNs: bigint;
  /** `lately` was good enough since. */
  isLeft: boolean;
  dirty: Dirty | undefined;
}

export function openGrowthChecks(clock: Clock, appended: Appended): GrowthChecks {
  const checks = new Map<BytePath, Check>();
  /** Of files whose old part is another: who has written to them since it was read last. */
  const writers = new Map<BytePath, Dirty>();

  const isGood = (known: Check, { before, after }: Growth): boolean => {
    // It was read as something else meanwhile: shorter, or gone.
    if (!appended.has(after.path) || after.inode !== known.inode) return false;
    if (before.digest === undefined || !isSameDigest(before.digest, known.digest)) return false;
    const isSame = after.sizeBytes === known.sizeBytes && after.ctimeNs === known.ctimeNs;
    return clock.monotonicMs() < known.fromMs && (isSame || after.sizeBytes > known.sizeBytes);
  };

  const left = (): [BytePath, Check][] => [...checks].filter(([, { isLeft }]) => isLeft);
  const leftIn = (dirty: readonly Dirty[]): [Dirty, BytePath, Check][] => {
    if (checks.size === 0) return [];
    const waiting = left();
    return dirty.flatMap((one) =>
      waiting
        .filter(([path]) => path === one.path || (one.subtree && isWithin(path, one.path)))
        .map(([path, check]): [Dirty, BytePath, Check] => [one, path, check]),
    );
  };
  const hasRoom = (): boolean => {
    if (checks.size < FILES_MAX) return true;
    const done = [...checks].find(([, { isLeft }]) => !isLeft);
    return done !== undefined && checks.delete(done[0]);
  };
  const noteWriters = (path: BytePath, dirty: Dirty): void => {
    const before = writers.get(path);
    const [oldest] = writers.size < FILES_MAX ? [] : writers.keys();
    if (oldest !== undefined) writers.delete(oldest);
    writers.set(path, before === undefined ? dirty : mergeDirty(before, dirty));
  };
  const doubt = (known: Check): void => {
    known.fromMs = Math.min(known.fromMs, clock.monotonicMs());
  };

  return {
    lately(growth) {
      const known = checks.get(growth.after.path);
      if (known === undefined || !isGood(known, growth)) return undefined;
      known.sizeBytes = growth.after.sizeBytes;
      known.ctimeNs = growth.after.ctimeNs;
      known.isLeft = true;
      return known.oldPart;
    },
    verified(growth, oldPart) {
      const { before, after, prefixBytes } = growth;
      const known = checks.get(after.path);
      // What was read of it before is of another time: the next reading begins anew.
      if (known !== undefined && !isSameDigest(known.oldPart, oldPart)) appended.doubt(after.path);
      if (isOldPart(growth, oldPart)) writers.delete(after.path);
      else if (known?.dirty !== undefined) noteWriters(after.path, known.dirty);
      checks.delete(after.path);
      // From now on only what is appended is read.
      appended.note(growth);
      if (before.digest === undefined || prefixBytes === undefined || prefixBytes < BYTES_MIN) return;
      if (!appended.has(after.path) || !hasRoom()) return;
      checks.set(after.path, {
        digest: before.digest,
        inode: after.inode,
        oldPart,
        fromMs: clock.monotonicMs() + Math.ceil(Number(prefixBytes) / BYTES_PER_MS),
        sizeBytes: after.sizeBytes,
        ctimeNs: after.ctimeNs,
        isLeft: false,
        dirty: undefined,
      });
    },
    named(found) {
      const { drift, actors, hasOthers } = found;
      // Another file, or a shorter one, is another story.
      if (!appended.has(drift.path)) writers.delete(drift.path);
      const known = drift.changed.includes('digest') ? writers.get(drift.path) : undefined;
      if (known === undefined) return found;
      const merged = mergeDirty(known, { ...known, actors, hasOthers });
      return { drift, actors: merged.actors, hasOthers: merged.hasOthers };
    },
    keep(dirty) {
      for (const [one, path, check] of leftIn(dirty)) {
        // It was read as something else meanwhile.
        if (!appended.has(path)) checks.delete(path);
        const own = { ...one, path, subtree: false };
        check.dirty = check.dirty === undefined ? own : mergeDirty(check.dirty, own);
      }
    },
    takeDue() {
      const nowMs = clock.monotonicMs();
      return left().flatMap(([path, check]) => {
        if (check.fromMs > nowMs) return [];
        const { actors = [UNKNOWN_ACTOR], hasOthers = false } = check.dirty ?? {};
        // What was found stays, to be compared.
        check.isLeft = false;
        return { path, subtree: false, actors, hasOthers, sinceMs: nowMs };
      });
    },
    dueMs: () => Math.min(...left().map(([, { fromMs }]) => fromMs)),
    paths: () => left().map(([path]) => path),
    doubt(path) {
      const known = checks.get(path);
      if (known !== undefined) doubt(known);
    },
    doubtAll() {
      appended.doubtAll();
      checks.forEach(doubt);
    },
  };
}

/** Whether the old part is as the baseline has it. */
export function isOldPart({ before }: Growth, oldPart: Digest): boolean {
  return before.digest !== undefined && isSameDigest(before.digest, oldPart);
}
