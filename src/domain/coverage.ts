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

const UNSEEN: Readonly<Record<CoverageMode, string>> = {
  filesystem: 'stores through a mapping that is held, inode flags, the raw device',
  inode: 'stores through a mapping that is held, inode flags, the raw device, changes through names outside the rules',
  mount: 'names, attributes, truncation, held mappings, other mounts',
  sweep: 'anything',
  none: 'anything',
};

/** What no event tells of: the sweep finds it. For a person, after "no event tells of". */
export function unseenBy(mode: CoverageMode): string {
  return UNSEEN[mode];
}

/**
 * Why events are missing. `unwatched`: nobody has watched since the baseline was made. `stopped`, `killed`: nobody watched
 * since the last watch ended. `overflow`: the kernel's queue was full.
 */
export type GapCause = 'unwatched' | 'stopped' | 'killed' | 'overflow';

/** A time of which no events are known; what changed meanwhile is found by comparing, but not when, nor who did it. */
export interface Gap {
  readonly cause: GapCause;
  /** Milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}
