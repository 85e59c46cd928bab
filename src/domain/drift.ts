// One difference between the baseline and reality.
import type { Actor } from './actor.ts';
import type { Attribute } from './attribute.ts';
import type { Digest, Entry } from './entry.ts';
import type { BytePath } from './path.ts';

export const SEVERITIES = ['info', 'normal', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export type DriftKind = 'added' | 'removed' | 'changed' | 'moved';

export interface Drift {
  readonly kind: DriftKind;
  readonly path: BytePath;
  /** The rule's name. */
  readonly rule: string;
  readonly severity: Severity;
  /** The attributes that differ; empty for `added` and `removed`. */
  readonly changed: readonly Attribute[];
  /** Absent for `added`. */
  readonly before: Entry | undefined;
  /** Absent for `removed`. */
  readonly after: Entry | undefined;
  /** `moved`: the path in the baseline. */
  readonly from: BytePath | undefined;
  /** `moved` directory: how many entries below it moved along unchanged. */
  readonly entries: number | undefined;
  /** A growing file that became longer: the digest of what is there of the part that the baseline has; not part of records. */
  readonly oldPart?: Digest | undefined;
  /** `moved` directory: those entries; not part of records. */
  readonly along?: readonly MovedAlong[];
}

/** An entry below a moved directory that nothing but the move has changed. */
export interface MovedAlong {
  /** Its path in the baseline. */
  readonly from: BytePath;
  readonly after: Entry;
}

/** A drift as it is journaled. */
export interface DriftRecord extends Drift {
  /** ULID; stays the same while the drift is open, whatever becomes of the path. */
  readonly id: string;
  /** 1 for the first record of a drift. */
  readonly seq: number;
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint;
  /** Everybody who was seen changing it, the last one at the end; never empty. */
  readonly actors: readonly Actor[];
  /** The generation of the baseline that it differs from. */
  readonly generation: number;
  /** It is to be accepted, because of its rule or of a clause of that, as soon as that is possible. */
  readonly accepts?: 'rule' | 'by' | undefined;
  /** It became the baseline with this record, because of its rule or of a clause of that. */
  readonly accepted?: 'rule' | 'by' | undefined;
  /** What has to be accepted before it: what is above it, or was below it. */
  readonly waitsFor?: BytePath | undefined;
}

/** The baseline's path of a drift: its identity while it is open. */
export function driftKey(drift: Drift): BytePath {
  return drift.from ?? drift.path;
}
