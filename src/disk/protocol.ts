// What the main thread and the workers say to each other.
import type { BytePath } from '../domain/path.ts';
import type { ScopeSettings } from '../domain/rule.ts';
import type { EngineChoice } from './digest.ts';

/** `workerData`. */
export interface WorkerSetup {
  readonly scope: ScopeSettings;
  readonly engine: EngineChoice;
  /** One Int32: not 0 when all work is in vain. */
  readonly closing: SharedArrayBuffer;
}

/** A piece of work on one directory. Rules travel as indices into the scope's list. */
export type Work =
  /** All names of a directory. */
  | { readonly kind: 'list'; readonly dir: BytePath; readonly rule: number; readonly known?: Uint8Array }
  /** Some names of a listed directory, each followed by a NUL, and the range that they stand for. */
  | {
      readonly kind: 'range';
      readonly dir: BytePath;
      readonly rule: number;
      readonly after: BytePath | undefined;
      readonly upTo: BytePath | undefined;
      readonly names: Uint8Array;
      readonly known?: Uint8Array;
    }
  /** Single names, wherever they come from. */
  | {
      readonly kind: 'names';
      readonly dir: BytePath;
      readonly names: readonly BytePath[];
      readonly known?: Uint8Array;
    };

export type Request =
  | {
      readonly kind: 'pages';
      readonly id: number;
      readonly work: readonly Work[];
      /** Stop early and hand back what is left, so that others get their turn. */
      readonly share: boolean;
      /** One Int32: not 0 when nobody wants the answer any more. */
      readonly cancel: SharedArrayBuffer | undefined;
    }
  /** The last request; the thread ends without an answer. */
  | { readonly kind: 'close'; readonly id: number }
  | { readonly kind: 'prefix'; readonly id: number; readonly path: BytePath; readonly lengthBytes: bigint };

/** Kept small: half of a leaf directory's cost beyond its files is this object's way through structured clone. */
export interface FoundPage {
  /** Index into the request's work. */
  readonly piece: number;
  /** Where its records end in the answer's memory; they begin where those of the page before end. */
  readonly end: number;
  readonly bytesRead: number;
  /** errno when nothing could be read. */
  readonly failed?: number;
  /** The last name that it speaks of, when that is not the last of the piece. */
  readonly upTo?: BytePath;
  /** Directories to descend into, each with the index of its rule. */
  readonly below?: BelowPage;
  /** Directories on another filesystem that `oneFileSystem` keeps the walk out of. */
  readonly foreign?: readonly BytePath[];
}

export interface BelowPage {
  readonly names: readonly BytePath[];
  readonly rules: readonly number[];
}

export type Reply =
  | {
      readonly kind: 'pages';
      readonly id: number;
      readonly pages: readonly FoundPage[];
      readonly records: ArrayBuffer;
      /** Not done, in the order in which it was asked for; without `known`. */
      readonly rest: readonly Work[];
    }
  | {
      readonly kind: 'prefix';
      readonly id: number;
      readonly errno: number;
      readonly algorithm: 'blake3' | 'sparse';
      readonly value: Uint8Array | undefined;
    }
  /** A defect: the stack of what was thrown. */
  | { readonly kind: 'thrown'; readonly id: number; readonly stack: string };
