// The one file that everything is kept in.
import type { Entry } from '../../domain/entry.ts';
import type { BytePath } from '../../domain/path.ts';
import type { SealTable } from '../../domain/seal-table.ts';
import type { HeldHook, Outbox, OutboxItem } from './outbox.ts';

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
  /** The packed run of those of the names (sorted) that the directory has. */
  names(dir: BytePath, names: readonly BytePath[]): Buffer;
  /** The seals of all pages, as they are now. */
  seals(): SealTable;
  /** Reads all pages, some at each step, for no other reason than to verify them. */
  verify(): Iterable<void>;
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

/** All that one step changes; committed whole or not at all, durable when `commit` returns. */
export interface Commit {
  /** JSON lines for the journal, in order. */
  readonly journal?: readonly string[];
  readonly openDrift?: readonly OpenDrift[];
  /** Keys of open drift that is accepted or gone. */
  readonly closedDrift?: readonly BytePath[];
  readonly outbox?: readonly OutboxItem[];
  /** Hooks that must not run because of this drift; the rest of their memory stays. */
  readonly holds?: readonly HeldHook[];
  /** The baseline's next generation: entries to set and paths to drop (with everything below them, if they have any). */
  readonly accept?: { readonly put: readonly Entry[]; readonly drop: readonly BytePath[] };
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
  /** Open drift whose key or path is one of many, each once. */
  openDriftAmong(paths: readonly BytePath[]): readonly OpenDrift[];
  /** Open drift whose key or path is `tree` or below it, each once. */
  openDriftBelow(tree: BytePath): readonly OpenDrift[];
  /** The keys of the same, some at a time, as hints: not verified, and maybe one of them twice. */
  openKeysBelow(tree: BytePath): Iterable<BytePath>;
  /** The paths of open drift in a directory itself, each once, as hints as well. */
  openPathsIn(dir: BytePath): readonly BytePath[];
  /** Open drift whose path is not its key. */
  openMoves(): readonly OpenDrift[];
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
