// The records of the journal.
import type { Actor } from '../../domain/actor.ts';
import type { Coverage, Gap } from '../../domain/coverage.ts';
import type { DriftRecord, Severity } from '../../domain/drift.ts';
import type { BytePath } from '../../domain/path.ts';
import type { Round } from '../../domain/round.ts';
import type { CoverageState } from './event-source.ts';
import type { RunOutcome } from './hook-runner.ts';

/** The records of the journal, as lines of JSON (design: Records). */
export interface RecordWriter {
  drift(record: DriftRecord): string;
  /** An open drift is gone: the path is as the baseline has it. */
  resolved(fields: { readonly id: string; readonly path: BytePath; readonly timeNs: bigint }): string;
  accept(fields: AcceptFields): string;
  run(fields: RunFields): string;
  alert(fields: AlertFields): string;
  release(fields: ReleaseFields): string;
  overflow(fields: { readonly timeNs: bigint; readonly count: number }): string;
  coverage(fields: { readonly timeNs: bigint; readonly coverage: Coverage; readonly state: CoverageState }): string;
  gap(fields: { readonly timeNs: bigint; readonly gap: Gap }): string;
  sweep(fields: SweepFields): string;
  /** A new baseline, the start and end of a watch, a configuration that was taken over. */
  lifecycle(kind: 'init' | 'start' | 'stop' | 'config', fields: LifecycleFields): string;
}

export interface AcceptFields {
  readonly timeNs: bigint;
  /** The generation that the acceptance made. */
  readonly generation: number;
  readonly paths: readonly BytePath[];
  /** Identifiers of the open drift that it closed. */
  readonly drifts: readonly string[];
  readonly by: Actor;
}

export interface RunFields {
  readonly hook: string;
  readonly runId: string;
  readonly key: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** How many paths were delivered. */
  readonly paths: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly outcome: RunOutcome;
}

/** What somebody has to look at. */
export interface AlertFields {
  readonly id: string;
  readonly timeMs: number;
  /**
   * `breaker`: the hook failed too often in a row. `chain`: hooks start each other without an end. `hold`: too much or too
   * grave drift. `dead`: a batch was given up. `digest`: a program is not the one that was pinned. `recovered`: after
   * `breaker`, it works again.
   */
  readonly kind: 'breaker' | 'chain' | 'hold' | 'dead' | 'digest' | 'recovered';
  readonly hook: string;
  /** Lower case, no full stop. */
  readonly message: string;
}

/** Somebody let a hook run again that drift had held. */
export interface ReleaseFields {
  readonly timeNs: bigint;
  readonly hook: string;
  readonly reason: string;
  /** When it was held. */
  readonly sinceMs: number;
  readonly by: Actor;
}

export interface SweepFields {
  readonly timeNs: bigint;
  /** `catch-up` at the start, `rescan` after an overflow, otherwise the severity of the tier. */
  readonly tier: 'catch-up' | 'rescan' | Severity;
  readonly entries: number;
  readonly drifts: number;
  readonly durationMs: number;
  /** When only a part of the content was read: which one, and how many entries were not read. */
  readonly sampled?: Round & { readonly trusted: number };
}

export interface LifecycleFields {
  readonly timeNs: bigint;
  readonly generation: number;
  readonly detail: Readonly<Record<string, string | number>>;
}
