// The configuration after parsing: complete, checked, defaults applied once (in config/schema.ts).
import type { BytePath } from './path.ts';
import type { Rule } from './rule.ts';

export interface Settings {
  /** The baseline's file; its directory is the state directory. */
  readonly baseline: BytePath;
  readonly watch: WatchSettings;
  readonly ignore: readonly string[];
  readonly rules: readonly Rule[];
  readonly hooks: readonly HookSettings[];
}

export interface WatchSettings {
  /** `auto`: mount and filesystem marks; `mount`: mount marks alone. */
  readonly marks: 'auto' | 'mount';
  /** How writers are identified: `map` follows execs, `proc` looks only at /proc when an event is read. */
  readonly who: 'map' | 'proc';
  readonly quietMs: number;
  readonly deadlineMs: number;
  /** How often everything is compared in the background, per severity; undefined: never. */
  readonly sweep: {
    readonly criticalMs: number | undefined;
    readonly normalMs: number | undefined;
    /** What a sweep reads at most; undefined: as fast as it can. */
    readonly bytesPerSecond: number | undefined;
  };
}

export const HOOK_INPUTS = ['paths0', 'ndjson', 'text', 'none'] as const;
export type HookInput = (typeof HOOK_INPUTS)[number];

export interface HookSettings {
  readonly name: string;
  /** Program and arguments; never a shell line. */
  readonly run: readonly string[];
  readonly stdin: HookInput;
  readonly quietMs: number;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  /** What happens with new drift while a run is in flight. */
  readonly onBusy: 'queue' | 'skip' | 'restart';
  readonly retry: { readonly attempts: number; readonly backoffMinMs: number; readonly backoffMaxMs: number };
  /** DRIFTLINE_* variables beyond the fixed ones: `with:` of a shipped hook. */
  readonly environment: Readonly<Record<string, string>>;
  /** Leave what the run started alive when it ends. */
  readonly detach: boolean;
}
