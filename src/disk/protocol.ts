// What the main thread and the workers say to each other.
import type { BytePath } from '../domain/path.ts';
import type { Round } from '../domain/round.ts';
import type { ScopeSettings } from '../domain/rule.ts';
import type { Page, Portion } from '../engine/ports/disk.ts';
import type { EngineChoice } from './digest.ts';
import type { PaceSetup } from './pace.ts';

/** The first message. */
export interface WorkerSetup {
  readonly kind: 'setup';
  readonly scope: ScopeSettings;
  readonly engine: EngineChoice;
  /** One Int32: not 0 when all work is in vain. */
  readonly closing: SharedArrayBuffer;
  /** This worker's meter (meter.ts). */
  readonly meter: SharedArrayBuffer;
  /** What all workers of the disk may read together. */
  readonly pace: PaceSetup | undefined;
  /** Leave processor and disk to everybody else. */
  readonly idle: boolean;
  /** Leave no content in the page cache that was not there before. */
  readonly dropCache: boolean;
  /** The process ends when all is read. */
  readonly isBrief: boolean;
  /** Of larger files the content is not read; they have no digest. */
  readonly digestMaxBytes: number;
}

/** A piece of work on one directory. Rules travel as indices into the scope's list. */
export interface Work {
  /**
   * All names of the directory; the same, of one that is not as a quick walk's seals say; some of them, with the range that
   * they stand for; or single names, wherever they come from.
   */
  readonly kind: 'list' | 'compare' | 'range' | 'names';
  readonly dir: BytePath;
  readonly rule: number;
  readonly after: BytePath | undefined;
  readonly upTo: BytePath | undefined;
  /** Names of a range, each followed by a NUL. */
  readonly packed: Uint8Array | undefined;
  readonly names: readonly BytePath[] | undefined;
  /** The baseline's run. */
  readonly known: Uint8Array | undefined;
}

/** The values of a Work, in the order of its keys. */
export type PackedWork = readonly [
  kind: Work['kind'],
  dir: BytePath,
  rule: number,
  after: BytePath | undefined,
  upTo: BytePath | undefined,
  packed: Uint8Array | undefined,
  names: readonly BytePath[] | undefined,
  known: Uint8Array | undefined,
];

/** What all requests of a walk have in common. */
export interface WalkSetup {
  readonly id: number;
  /** Two Int32 (CANCELED, HUNGRY), not 0: nobody wants the answers any more; a worker has nothing to do. */
  readonly control: SharedArrayBuffer;
  /** Go on below the directories that are found. */
  readonly descend: boolean;
  /** Memory of a SealTable. */
  readonly seals?: SharedArrayBuffer;
  /** Directories are first told by their quick seals; those that differ come back as `compare`. */
  readonly quick: boolean;
  /** Directories that have their turn in it are read all the same. */
  readonly round?: Round;
}

export const CANCELED = 0;
export const HUNGRY = 1;
export const CONTROL_BYTES = 8;

export type Request =
  | {
      readonly kind: 'pages';
      readonly id: number;
      readonly work: readonly PackedWork[];
      /** For a walk; single names are read without one. */
      readonly walk?: WalkSetup;
      /** Single names: files with more content are told in `postponed`. */
      readonly contentMaxBytes?: number;
      /** Files that have become longer are read from where the last reading under this token ended. */
      readonly appended?: number | undefined;
    }
  /** The last request; the thread ends without an answer. */
  | { readonly kind: 'close'; readonly id: number }
  /** There will be nothing to do for a while: memory is given back. No answer. */
  | { readonly kind: 'rest'; readonly id: number }
  | { readonly kind: 'prefix'; readonly id: number; readonly path: BytePath; readonly lengthBytes: bigint };

export const CLOSE: Extract<Request, { kind: 'close' }> = { kind: 'close', id: 0 };
export const REST: Extract<Request, { kind: 'rest' }> = { kind: 'rest', id: 0 };

export const READY: Extract<Reply, { kind: 'ready' }> = { kind: 'ready', id: 0 };

/** A page of the answer; an object of its own costs little now that unchanged directories are only counted. */
export interface FoundPage {
  readonly dir: BytePath;
  readonly extent: Page['extent'];
  /** Where its records end in the answer's memory; they begin where those of the page before end. */
  readonly end: number;
  readonly bytesRead: number;
  /** How many records were taken from the baseline. */
  readonly trusted: number;
  /** errno when nothing could be read. */
  readonly failed?: number;
}

export type Reply =
  | {
      readonly kind: 'pages';
      readonly id: number;
      readonly pages: readonly FoundPage[];
      readonly records: ArrayBuffer;
      readonly unchanged: Portion;
      /** Below what was found, and not done, in the order in which it was asked for; without `known`. */
      readonly rest: readonly PackedWork[];
      readonly postponed: readonly BytePath[];
    }
  | {
      readonly kind: 'prefix';
      readonly id: number;
      readonly errno: number;
      readonly algorithm: 'blake3' | 'sparse';
      readonly value: Uint8Array | undefined;
    }
  /** The first message of a thread: it has loaded everything and is set up. */
  | { readonly kind: 'ready'; readonly id: number }
  /** A defect: the stack of what was thrown. */
  | { readonly kind: 'thrown'; readonly id: number; readonly stack: string };
