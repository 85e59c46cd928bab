// What a person or a machine is told while the engine works.
import type { DriftRecord } from '../../domain/drift.ts';
import type { BytePath } from '../../domain/path.ts';

/** What a person or a machine is told while the engine works. */
export interface Reporter {
  drift(record: DriftRecord): void;
  /** A drift that went away by itself: the path is as the baseline says again. */
  resolved(record: { readonly id: string; readonly path: BytePath }): void;
  /** Something went wrong that does not end the command. */
  problem(message: string): void;
  /** A line about the state of the watch: coverage, overflow, runs. */
  notice(message: string): void;
}
