// The configuration after parsing: complete, checked, defaults applied once (in config/schema.ts).
import type { Severity } from './drift.ts';
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

export type Who = 'map' | 'strict' | 'proc';

export interface WatchSettings {
  /** `auto`: mount and filesystem marks; `mount`: mount marks alone. */
  readonly marks: 'auto' | 'mount';
  /**
   * How writers are identified: `map` follows execs, `strict` also has each of them wait until it was looked at, `proc` looks
   * only at /proc when an event is read.
   */
  readonly who: Who;
  readonly quietMs: number;
  readonly deadlineMs: number;
  /** How often everything is compared in the background, per severity; undefined: never. */
  readonly sweep: {
    readonly criticalMs: number | undefined;
    readonly normalMs: number | undefined;
    /** Within which the content of each file is read; undefined: by every sweep. */
    readonly content: { readonly criticalMs: number | undefined; readonly normalMs: number | undefined };
    /** What a sweep reads at most; undefined: as fast as it can. */
    readonly bytesPerSecond: number | undefined;
  };
  /** How often marks are looked at and each mount is asked for an event; undefined: the latter never. */
  readonly canaryMs: number | undefined;
  readonly hooks: HookLimits;
}

/** What holds for all hooks together. */
export interface HookLimits {
  /** Runs at the same time. */
  readonly concurrency: number;
  /** A run that was started by what a run did, and so on: after so many the next is not started. */
  readonly chain: number;
}

export const HOOK_INPUTS = ['paths0', 'moves0', 'ndjson', 'text', 'none'] as const;
export type HookInput = (typeof HOOK_INPUTS)[number];

/** A hook that is told paths looks at what is there; one that is given records is told what was. */
export function tellsPaths(input: HookInput): boolean {
  return input === 'paths0' || input === 'moves0' || input === 'none';
}

export interface HookSettings {
  readonly name: string;
  /** Program and arguments; never a shell line. */
  readonly run: readonly string[];
  readonly stdin: HookInput;
  readonly quietMs: number;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  /** A batch has at most so many paths, unless one drift alone has more; undefined: any number. */
  readonly maxPaths: number | undefined;
  /** Batches delivered at the same time; never two that have a path in common, or one of a path below it. */
  readonly concurrency: number;
  /** What happens with new drift while a run is in flight. */
  readonly onBusy: 'queue' | 'skip' | 'restart';
  readonly retry: { readonly attempts: number; readonly backoffMinMs: number; readonly backoffMaxMs: number };
  readonly exitCodes: ExitCodes;
  readonly stop: { readonly signal: StopSignal; readonly graceMs: number };
  /** After so many failures in a row nothing is run for a while; undefined: never. */
  readonly breaker: { readonly failures: number; readonly pauseMs: number } | undefined;
  readonly holdOn: HoldOn | undefined;
  /** Commands around the run, and at each failure; program and arguments. */
  readonly before: readonly string[] | undefined;
  readonly after: readonly string[] | undefined;
  readonly onFailure: readonly string[] | undefined;
  readonly ping: PingSettings | undefined;
  /** DRIFTLINE_* variables beyond the fixed ones: `with:` of a shipped hook. */
  readonly environment: Readonly<Record<string, string>>;
  /** Leave what the run started alive when it ends. */
  readonly detach: boolean;
  /** Who runs it; undefined: who runs driftline. */
  readonly user: string | undefined;
  /** Of everything that a run starts, together. */
  readonly limits: RunLimits;
  /** DRIFTLINE_CREDENTIAL_<name> -> the file that it names. */
  readonly credentials: Readonly<Record<string, string>>;
  /** File -> the hexadecimal BLAKE3 digest that it must have; an empty name is the program. */
  readonly digests: Readonly<Record<string, string>>;
}

/** A health check that is told of runs. */
export interface PingSettings {
  readonly url: string;
  /** Of one request. */
  readonly timeoutMs: number;
  /** A file with the certificates to trust, instead of the public ones. */
  readonly ca: string | undefined;
}

export interface RunLimits {
  readonly memoryBytes: number | undefined;
  /** Processes and threads. */
  readonly tasks: number | undefined;
}

/** What makes a hook wait until somebody releases it; each on its own. */
export interface HoldOn {
  /** Any drift of this severity or above, of whatever rule. */
  readonly severity: Severity | undefined;
  /** Drifts that the hook is told of within a minute. */
  readonly filesPerMinute: number | undefined;
  /** Entries that are not what they were, of all under the hook's rules, within a minute; 0.2 is a fifth. */
  readonly share: number | undefined;
  /** Files within a minute that are as good as random, and no known compressed format. */
  readonly entropy: number | undefined;
}

/** Exit statuses by what they mean; those that are in no list are failures. */
export interface ExitCodes {
  readonly ok: readonly number[];
  /** Not now: tried again without an alarm, however often. */
  readonly again: readonly number[];
}

export const STOP_SIGNALS = ['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2', 'KILL'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** A hook that is nothing beside its command: no limit, no other command, no veto. */
export const PLAIN_HOOK = {
  maxPaths: undefined,
  concurrency: 1,
  breaker: undefined,
  holdOn: undefined,
  before: undefined,
  after: undefined,
  onFailure: undefined,
  ping: undefined,
  environment: {},
  detach: false,
  user: undefined,
  limits: { memoryBytes: undefined, tasks: undefined },
  credentials: {},
  digests: {},
} satisfies Partial<HookSettings>;
