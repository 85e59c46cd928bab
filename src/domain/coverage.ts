// What is watched, how, and since when without a gap.
import type { BytePath } from './path.ts';

/** `filesystem` sees everything, `mount` content written through that mount, `sweep` what the sweep finds, `none` nothing. */
export type CoverageMode = 'filesystem' | 'mount' | 'inode' | 'sweep' | 'none';

export interface Coverage {
  /** The mount point, or a rule path that does not exist (`none`). */
  readonly mount: BytePath;
  readonly mode: CoverageMode;
  /** Milliseconds since the epoch: the last time from which on nothing was missed. */
  readonly sinceMs: number;
  /** How often events were lost since the start. */
  readonly gaps: number;
  /** Why it is not better, for a person. */
  readonly reason: string | undefined;
}
