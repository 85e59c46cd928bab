// The durable queue to the hooks, in the same file as the drift that it tells of.
import type { BytePath } from '../../domain/path.ts';
import type { RunOutcome } from './hook-runner.ts';

/** Drift on its way to a hook. */
export interface OutboxItem {
  readonly hook: string;
  /** The drift record as one line of JSON. */
  readonly record: string;
  /** Every path that it touches; both names of a move, and the descendants that moved along. */
  readonly paths: readonly BytePath[];
}

/** An item that waits; `number` grows with each item that comes. */
export interface WaitingItem extends OutboxItem {
  readonly number: number;
  /** When it came, in ms since the epoch. */
  readonly atMs: number;
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
  /** The largest number of its items. */
  readonly lastNumber: number;
}

export type Settlement =
  | { readonly kind: 'done' }
  /** Tried again under the same key; an attempt that does not count leaves `attempts` as it is. */
  | { readonly kind: 'again'; readonly notBeforeMs: number | undefined; readonly counts: boolean }
  | { readonly kind: 'dead' }
  /** The attempt does not count: the items wait again, and go into the next batch with whatever came meanwhile. */
  | { readonly kind: 'released' };

export interface ClaimOptions {
  /** Keys of batches that are being delivered or pause. */
  readonly busy?: ReadonlySet<string>;
  /**
   * A new batch ends before the item that would make it more; it has one item at least. It may have fewer paths while very much
   * waits: not all of that is looked at.
   */
  readonly maxPaths?: number | undefined;
  /** Numbers of those among waiting items (with `maxPaths` not all at once) that nobody has to be told of any more. */
  readonly drop?: (waiting: readonly WaitingItem[]) => ReadonlySet<number>;
}

/** Why a hook must not run. */
export interface Hold {
  readonly reason: string;
  readonly sinceMs: number;
  /** The alert has been raised. */
  readonly isTold?: boolean;
}

/** A hook that must not run from now on. */
export interface HeldHook extends Hold {
  readonly hook: string;
}

/** What is remembered of a hook over restarts. */
export interface HookMemory {
  readonly last?: { readonly outcome: RunOutcome['outcome']; readonly endMs: number } | undefined;
  /** Failures since the last good run. */
  readonly failures: number;
  /** The breaker is open until then (ms since the epoch). */
  readonly openUntilMs?: number | undefined;
  /** Nothing is run until somebody releases it. */
  readonly hold?: Hold | undefined;
  /** Items up to this number may have been read by a run that did not end well. */
  readonly triedNumber: number;
}

export const NO_MEMORY: HookMemory = { failures: 0, triedNumber: 0 };

export interface Outbox {
  /** Per hook: rows waiting, rows given up, when the oldest came and when the next attempt is due (ms since the epoch). */
  backlog(): readonly HookBacklog[];
  /** Whether something is in no batch yet. */
  hasWaiting(hook: string): boolean;
  /** Batches that were begun and not settled, and those that were given up; the oldest first. */
  batches(hook: string): readonly BatchState[];
  /**
   * The oldest open batch that is not busy; when there is none a new one of what waits, but for items that have a path in
   * common with a busy batch, or one below or above a path of it, or with an item that waits for that reason. Undefined when
   * there is nothing.
   */
  claim(hook: string, options?: ClaimOptions): HookBatch | undefined;
  /** What `claim` would give now, with an empty key when that would be a new batch. Changes nothing. */
  peek(hook: string, options?: ClaimOptions): HookBatch | undefined;
  /** Ends an attempt, journals its record and remembers `memory` in the same transaction. */
  settle(key: string, settlement: Settlement, journal: readonly string[], memory?: HookMemory): void;
  /** Opens what was given up once more, with its keys and as if it had never been tried; returns the number of batches. */
  revive(hook: string): number;
  memory(hook: string): HookMemory;
  remember(hook: string, memory: HookMemory, journal: readonly string[]): void;
}

export interface HookBacklog {
  readonly hook: string;
  /** Waiting or in an open batch. */
  readonly pending: number;
  /** In no batch yet. */
  readonly waiting: number;
  readonly dead: number;
  readonly oldestMs: number | undefined;
  /** When an attempt failed: not before this. */
  readonly notBeforeMs: number | undefined;
}

export interface BatchState {
  readonly key: string;
  readonly isDead: boolean;
  readonly attempts: number;
  readonly items: number;
  /** When the oldest item came, in ms since the epoch. */
  readonly oldestMs: number;
  readonly notBeforeMs: number | undefined;
}
