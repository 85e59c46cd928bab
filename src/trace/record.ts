// What a trace shows: one record per event.
import type { Actor } from '../domain/actor.ts';
import type { BytePath } from '../domain/path.ts';

export type TraceRecord = EventRecord | OverflowRecord;

export interface EventRecord {
  readonly kind: 'event';
  /** When it was read; the kernel does not say when it happened. Nanoseconds since the epoch. */
  readonly timeNs: bigint;
  /** The kernel's event bits, FAN_ONDIR included. */
  readonly mask: number;
  /** Undefined when the object has no name (any more), and for the new name of what moved out of the marked directory. */
  readonly path: BytePath | undefined;
  /** The old name of a rename, undefined when it was outside the marked directory. */
  readonly from: BytePath | undefined;
  readonly process: ProcessInfo;
  /** Nearest first; undefined unless asked for. */
  readonly parents: readonly ProcessInfo[] | undefined;
}

/** Events were lost here: the kernel's queue was full. */
export interface OverflowRecord {
  readonly kind: 'overflow';
  readonly timeNs: bigint;
}

export interface ProcessInfo {
  readonly pid: number;
  /** proc_pid_comm(5), 15 bytes at most; of a process that is gone, the name of its program. Text, undefined when not known. */
  readonly comm: string | undefined;
  readonly actor: Actor;
}
