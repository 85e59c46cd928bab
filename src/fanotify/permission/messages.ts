// What the responder's thread and the main thread tell each other.
import type { AuditRule, Verdict } from '../response.ts';

export interface ResponderSettings {
  /** The group's descriptor; the main thread owns it and outlives the thread. */
  readonly groupFd: number;
  /** An eventfd that the main thread writes to when there is a reply, or the end. */
  readonly wakeFd: number;
  /** Int32Array with the slots below. */
  readonly control: SharedArrayBuffer;
  /** BigInt64Array in the order of COUNTS. */
  readonly counts: SharedArrayBuffer;
  readonly deadlineMs: number;
  readonly deadlineVerdict: Verdict;
  readonly failureVerdict: Verdict;
  readonly maxAsked: number;
  readonly cacheEntries: number;
  readonly audit: 'none' | 'denied' | 'all';
  readonly allowDescendants: boolean;
}

/** Set to 1 by the main thread: answer everything and end. */
export const STOP = 0;
/** Set to 1 by the thread when everything is answered. */
export const DONE = 1;
/** Raised by the main thread to have the cache emptied. */
export const CACHE_GENERATION = 2;
export const CONTROL_BYTES = 12;

export const COUNTS = ['asked', 'cached', 'own', 'deadline', 'full', 'failed', 'noDescriptor'] as const;

/** Answers so far by their reason. */
export type ResponderCount = (typeof COUNTS)[number];

/** One event for `decide`; `fd` stays open until its reply was taken, or until `left` hands it over. */
export interface Ask {
  readonly id: number;
  readonly fd: number;
  readonly pid: number;
  readonly mask: number;
  readonly range: { readonly offsetBytes: bigint; readonly countBytes: bigint } | undefined;
  /** CLOCK_MONOTONIC; nobody waits for a reply after it. */
  readonly deadlineMs: number;
}

/** `verdict` undefined: `decide` failed, or was not called any more. */
export interface Reply {
  readonly id: number;
  readonly verdict: Verdict | undefined;
  readonly auditRule: AuditRule | undefined;
  /** CACHE_GENERATION when it was asked; undefined: not to be kept. */
  readonly cacheGeneration: number | undefined;
}

export type ResponderMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ask'; readonly asks: readonly Ask[] }
  /** The kernel refused an answer, and a plainer one was given. */
  | { readonly kind: 'refused'; readonly errno: number; readonly verdict: Verdict }
  /** The last message: descriptors of what was asked and has no reply yet; they belong to the main thread now. */
  | { readonly kind: 'left'; readonly asked: readonly { readonly id: number; readonly fd: number }[] };

/** The same in every thread, unlike performance.now(). */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
