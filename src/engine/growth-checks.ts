// Logs that may grow: whether the part that the baseline has is still the same. To read a large one after every event would cost
// more than all the rest, so it is taken to be as it was while the log becomes longer, and read again once that has taken no
// more than a small part of the time: what was written into it is found then, if nobody wrote to the log again, too.
import { UNKNOWN_ACTOR } from '../domain/actor.ts';
import { isSameDigest } from '../domain/compare.ts';
import { type Dirty, mergeDirty } from '../domain/dirty.ts';
import type { Digest } from '../domain/entry.ts';
import type { BytePath } from '../domain/path.ts';
import type { Appended } from './appended.ts';
import type { Finding } from './page-diff.ts';
import type { Clock } from './ports/clock.ts';

/** A growing file whose old part is to be compared. */
export type Growth = Extract<Finding, { readonly kind: 'changed' }>;

export interface GrowthChecks {
  /** Whether the old part was the same the last time, if that is good enough now; undefined: it has to be read. */
  lately(growth: Growth): boolean | undefined;
  /** It was read. */
  verified(growth: Growth, isKept: boolean): void;
  /** What was dirty when `lately` was asked: it is to be said who did it when the old part turns out to be another. */
  keep(dirty: Dirty): void;
  /** What has to be read again by now, whoever writes to it or not. */
  takeDue(): Dirty[];
  /** In ms of the monotonic clock; infinite when nothing is left. */
  dueMs(): number;
  /** Whose old part was not read when they were read last. */
  paths(): BytePath[];
  /** The next time it is read. */
  doubt(path: BytePath): void;
}

/** An old part of less than that is read each time. */
const BYTES_MIN = 1024n * 1024n;
/** What is read of the old part of one log, over time. */
const BYTES_PER_MS = 10_000;
const FILES_MAX = 256;

interface Check {
  readonly digest: Digest;
  readonly inode: bigint;
  readonly isKept: boolean;
  /** When it may be read again. */
  readonly fromMs: number;
  sizeBytes: bigint;
  ctimeNs: bigint;
  /** `lately` was good enough since. */
  isLeft: boolean;
  dirty: Dirty | undefined;
}

export function openGrowthChecks(clock: Clock, appended: Appended): GrowthChecks {
  const checks = new Map<BytePath, Check>();

  const isGood = (known: Check, { before, after }: Growth): boolean => {
    if (before.digest === undefined || !isSameDigest(before.digest, known.digest) || after.inode !== known.inode)
      return false;
    const isSame = after.sizeBytes === known.sizeBytes && after.ctimeNs === known.ctimeNs;
    return clock.monotonicMs() < known.fromMs && (isSame || after.sizeBytes > known.sizeBytes);
  };

  const left = (): [BytePath, Check][] => [...checks].filter(([, { isLeft }]) => isLeft);

  return {
    lately(growth) {
      const known = checks.get(growth.after.path);
      if (known === undefined || !isGood(known, growth)) return undefined;
      known.sizeBytes = growth.after.sizeBytes;
      known.ctimeNs = growth.after.ctimeNs;
      known.isLeft = true;
      return known.isKept;
    },
    verified(growth, isKept) {
      const { before, after, prefixBytes } = growth;
      // From now on only what is appended is read.
      appended.note(growth);
      checks.delete(after.path);
      if (before.digest === undefined || prefixBytes === undefined || prefixBytes < BYTES_MIN) return;
      if (!appended.has(after.path)) return;
      const [oldest] = checks.size < FILES_MAX ? [] : checks.keys();
      if (oldest !== undefined) checks.delete(oldest);
      checks.set(after.path, {
        digest: before.digest,
        inode: after.inode,
        isKept,
        fromMs: clock.monotonicMs() + Number(prefixBytes) / BYTES_PER_MS,
        sizeBytes: after.sizeBytes,
        ctimeNs: after.ctimeNs,
        isLeft: false,
        dirty: undefined,
      });
    },
    keep(dirty) {
      const known = checks.get(dirty.path);
      if (known?.isLeft === true) known.dirty = known.dirty === undefined ? dirty : mergeDirty(known.dirty, dirty);
    },
    takeDue() {
      const nowMs = clock.monotonicMs();
      return left().flatMap(([path, { fromMs, dirty }]) => {
        if (fromMs > nowMs) return [];
        checks.delete(path);
        return dirty ?? { path, subtree: false, actors: [UNKNOWN_ACTOR], hasOthers: false, sinceMs: nowMs };
      });
    },
    dueMs: () => Math.min(...left().map(([, { fromMs }]) => fromMs)),
    paths: () => left().map(([path]) => path),
    doubt: (path) => {
      checks.delete(path);
    },
  };
}
