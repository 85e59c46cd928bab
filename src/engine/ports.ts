// What the engine needs from the world. Adapters implement these; only cli/ connects them.
import type { Actor } from '../domain/actor.ts';
import type { Coverage } from '../domain/coverage.ts';
import type { DriftRecord, Severity } from '../domain/drift.ts';
import type { Digest, Entry } from '../domain/entry.ts';
import type { BytePath } from '../domain/path.ts';
import type { HookSettings } from '../domain/settings.ts';

/** Part of a directory as it was read, packed (domain/packed.ts). */
export interface Page {
  readonly dir: BytePath;
  /** What the page speaks of: every name with `after` < name <= `upTo` (undefined: open end), or just the listed names. */
  readonly extent:
    | { readonly kind: 'range'; readonly after: BytePath | undefined; readonly upTo: BytePath | undefined }
    | { readonly kind: 'names'; readonly names: readonly BytePath[] };
  /** A packed run, sorted bytewise by name; names of the extent that are missing here do not exist. Owned by the receiver. */
  readonly records: Buffer;
  /** errno when the directory could not be opened or listed; then `records` is empty and nothing follows about its names. */
  readonly failed: number;
  /** Bytes of content that were hashed for this page. */
  readonly bytesRead: number;
}

/** How the state of paths is read. Only paths that the scope's rules cover ever appear. */
export interface Disk {
  /**
   * Reads the roots and everything below them. Each root comes as a `names` page of its directory; each directory below
   * as one or more `range` pages that together cover it once. A directory's pages come after the page that lists it; there
   * is no other order. A directory that vanished meanwhile gives one empty `range` page. Pages are produced only as fast
   * as they are taken. `known`, when given, returns the baseline's run of a directory: entries whose stat is unchanged
   * (isSameStat) take their digest from there instead of being read.
   */
  walk(roots: readonly BytePath[], options?: WalkOptions): AsyncIterable<Page>;
  /** The present state of some names of one directory; never descends. A missing directory gives an empty page. */
  read(dir: BytePath, names: readonly BytePath[]): Promise<Page>;
  /** The digest of the first `lengthBytes` bytes of a file, or an errno when they cannot be read. */
  digestPrefix(path: BytePath, lengthBytes: bigint): Promise<Digest | { readonly errno: number }>;
  close(): Promise<void>;
}

export interface WalkOptions {
  readonly known?: (dir: BytePath, after?: BytePath, upTo?: BytePath) => Buffer;
  readonly signal?: AbortSignal;
}

/** Facts about a committed baseline. */
export interface BaselineInfo {
  readonly generation: number;
  readonly entries: number;
  /** Milliseconds since the epoch at which this generation was committed. */
  readonly createdMs: number;
  /** What `init` was asked to cover, for a baseline used without a configuration. */
  readonly roots: readonly BytePath[];
}

/** The accepted state. Every page is verified against its seal when read: a mismatch throws BASELINE_UNTRUSTED. */
export interface Baseline {
  info(): BaselineInfo;
  /** The packed run of a directory: names with `after` < name <= `upTo`; empty when the baseline has none. */
  run(dir: BytePath, after?: BytePath, upTo?: BytePath): Buffer;
  find(path: BytePath): Entry | undefined;
  /** Every directory at or below `path` that has entries, in bytewise order of the directory's path. */
  below(path: BytePath): Iterable<{ readonly dir: BytePath; readonly run: Buffer }>;
}

/** A drift that has been journaled and is neither accepted nor gone. */
export interface OpenDrift {
  readonly id: string;
  readonly seq: number;
  /** `driftKey`: the path in the baseline (or of what was added). */
  readonly key: BytePath;
  readonly path: BytePath;
  /** Equal for two records that say the same of the same path. */
  readonly fingerprint: string;
  /** The record as one line of JSON. */
  readonly record: string;
}

/** Drift on its way to a hook. */
export interface OutboxItem {
  readonly hook: string;
  /** The drift record as one line of JSON. */
  readonly record: string;
  /** Every path that it touches; both names of a move, and the descendants that moved along. */
  readonly paths: readonly BytePath[];
}

/** All that one step changes; committed whole or not at all, durable when `commit` returns. */
export interface Commit {
  /** JSON lines for the journal, in order. */
  readonly journal?: readonly string[];
  readonly openDrift?: readonly OpenDrift[];
  /** Keys of open drift that is accepted or gone. */
  readonly closedDrift?: readonly BytePath[];
  readonly outbox?: readonly OutboxItem[];
  /** The baseline's next generation: entries to set and paths to drop (with everything below them, if they have any). */
  readonly accept?: { readonly put: readonly Entry[]; readonly drop: readonly BytePath[] };
}

/** A hook's share of the outbox that one run delivers; kept until it is settled. */
export interface HookBatch {
  /** The idempotence key: the same for every attempt to deliver this batch. */
  readonly key: string;
  readonly hook: string;
  /** Attempts made so far. */
  readonly attempts: number;
  readonly records: readonly string[];
  /** Each once, bytewise sorted. */
  readonly paths: readonly BytePath[];
}

export type Settlement =
  | { readonly kind: 'done' }
  | { readonly kind: 'again'; readonly notBeforeMs: number }
  | { readonly kind: 'dead' };

/** The durable queue to the hooks. */
export interface Outbox {
  /** Per hook: rows waiting, rows given up, when the oldest came and when the next attempt is due (ms since the epoch). */
  backlog(): readonly HookBacklog[];
  /** The hook's unfinished batch if it has one, otherwise a new one of everything that waits; undefined when nothing does. */
  claim(hook: string): HookBatch | undefined;
  /** Ends an attempt and journals its record in the same transaction. */
  settle(key: string, settlement: Settlement, journal: readonly string[]): void;
}

export interface HookBacklog {
  readonly hook: string;
  readonly pending: number;
  readonly dead: number;
  readonly oldestMs: number | undefined;
  /** When an attempt failed: not before this. */
  readonly notBeforeMs: number | undefined;
}

export interface JournalLine {
  /** 1, 2, 3 ... without gaps. */
  readonly number: number;
  /** One line of JSON. */
  readonly record: string;
}

export interface Journal {
  /** From `sinceMs` (ms since the epoch) on, in order. */
  read(sinceMs?: number): Iterable<JournalLine>;
  /** Recomputes the chain; returns the number of the first line that does not fit, or undefined when all do. */
  firstBroken(): number | undefined;
}

/** One SQLite file. Synchronous; used from one thread; several processes may read while one writes. */
export interface Store {
  readonly baseline: Baseline;
  readonly journal: Journal;
  readonly outbox: Outbox;
  /** Open drift whose key or path is `path`. */
  openDriftAt(path: BytePath): readonly OpenDrift[];
  openDrift(): Iterable<OpenDrift>;
  commit(commit: Commit): void;
  /** Starts the next generation from nothing; invisible until `finish`, dropped by `abandon` or a crash. */
  rebuild(): Rebuild;
  close(): void;
}

export interface Rebuild {
  /** Entries of one directory, sorted by name; several calls for one directory come in the order of the names. */
  add(dir: BytePath, records: Buffer): void;
  /**
   * Commits the new generation; open drift and outbox of the old one are closed. `journal` is asked for its lines with the
   * number of the generation, which is returned.
   */
  finish(roots: readonly BytePath[], journal: (generation: number) => readonly string[]): number;
  abandon(): void;
}

/** `covered`: another mount now hides a watched path; `lost`: the mount is gone or its mark is. */
export type CoverageState = 'watched' | 'covered' | 'lost';

/** What a watcher says; hints, never facts. */
export type WatchEvent =
  /** `subtree`: everything below may have changed with it (a directory appeared, moved or went). */
  | { readonly kind: 'dirty'; readonly path: BytePath; readonly subtree: boolean; readonly actor: Actor }
  /** Events of all mounts were lost: everything has to be compared. */
  | { readonly kind: 'overflow' }
  /** A mount's coverage changed; `covered`: a mount now hides a watched path. */
  | { readonly kind: 'coverage'; readonly coverage: Coverage; readonly state: CoverageState };

export interface EventSource {
  coverage(): readonly Coverage[];
  /** Batches in the order of arrival; ends after `close`. One consumer. Events queue without bound in the kernel's bound. */
  events(): AsyncIterable<readonly WatchEvent[]>;
  /** Events read but not yet taken. */
  backlog(): number;
  /** Idempotent; removes the marks and ends `events()`. */
  close(): Promise<void>;
}

export interface RunRequest {
  readonly hook: HookSettings;
  readonly runId: string;
  readonly batch: HookBatch;
  /** What goes to standard input. */
  readonly input: Uint8Array;
  /** DRIFTLINE_* variables, ASCII. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface RunOutcome {
  /** `ok`: exit 0. `again`: exit 75, not now. `canceled`: ended by us, for a restart or at shutdown. */
  readonly outcome: 'ok' | 'again' | 'failed' | 'timedOut' | 'canceled';
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** What it printed, standard output and error together: the first and the last 32 KiB. */
  readonly output: string;
  /** Why it could not even start. */
  readonly problem: string | undefined;
}

export interface HookRunner {
  /** Never throws for what the command does; resolves when the process has ended and what it left behind is gone. */
  run(request: RunRequest): Promise<RunOutcome>;
}

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

/** The records of the journal, as lines of JSON (design: Records). */
export interface RecordWriter {
  drift(record: DriftRecord): string;
  /** An open drift is gone: the path is as the baseline has it. */
  resolved(fields: { readonly id: string; readonly path: BytePath; readonly timeNs: bigint }): string;
  accept(fields: AcceptFields): string;
  run(fields: RunFields): string;
  overflow(fields: { readonly timeNs: bigint; readonly count: number }): string;
  coverage(fields: { readonly timeNs: bigint; readonly coverage: Coverage; readonly state: CoverageState }): string;
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

export interface SweepFields {
  readonly timeNs: bigint;
  /** `catch-up` at the start, `rescan` after an overflow, otherwise the severity of the tier. */
  readonly tier: 'catch-up' | 'rescan' | Severity;
  readonly entries: number;
  readonly drifts: number;
  readonly durationMs: number;
}

export interface LifecycleFields {
  readonly timeNs: bigint;
  readonly generation: number;
  readonly detail: Readonly<Record<string, string | number>>;
}

export interface Clock {
  nowMs(): number;
  nowNs(): bigint;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
