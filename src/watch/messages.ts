// What the reader thread and the main thread tell each other.
import { UNKNOWN_ACTOR } from '../domain/actor.ts';
import type { Coverage } from '../domain/coverage.ts';
import { AppError, type AppErrorCode } from '../domain/errors.ts';
import { addTo } from '../domain/gather.ts';
import { pathFromLatin1 } from '../domain/path.ts';
import type { ScopeSettings } from '../domain/rule.ts';
import type { Who } from '../domain/settings.ts';
import type { WatchEvent } from '../engine/ports/event-source.ts';
import type { DirtyColumns } from './dirty-set.ts';
import type { StoredGroup } from './resumption.ts';

export interface ReaderSettings {
  readonly scope: ScopeSettings;
  readonly marks: 'auto' | 'mount';
  /** How often marks are looked at. */
  readonly verifyMs: number;
  /** Each mount is asked for an event then. */
  readonly asks: boolean;
  readonly who: Who;
  /** The inode table of the baseline: domain/inode-table.ts. */
  readonly inodes: SharedArrayBuffer;
  /** `strict`: where the starts of programs are told; the main thread owns it. */
  readonly startsFd: number | undefined;
  /** Groups of an earlier process to go on with. */
  readonly stored: readonly StoredGroup[];
  /** An eventfd that the main thread owns and writes to when `control` has news. */
  readonly wakeFd: number;
  /** Int32Array with the slots below. */
  readonly control: SharedArrayBuffer;
}

/** Events become paths and are forgotten: with more room for what is young that is only done later. */
export const READER_LIMITS = { maxYoungGenerationSizeMb: 8 };

/** Set to 1: end. */
export const STOP = 0;
/** Events posted and not yet taken by the consumer. */
export const IN_FLIGHT = 1;
/** Paths that the reader holds back because the consumer is behind. */
export const HELD = 2;
/** Events that named nothing that still has a path. */
export const UNRESOLVED = 3;
/** Events read from the groups of the marks, wrapping around at 2^32. */
export const READ = 4;
/** How often the reader has gone round. */
export const TURNS = 5;
/** Counts the questions whether all queues were empty (`settled`). */
export const ASKED = 6;
export const CONTROL_BYTES = 28;

export type ReaderMessage =
  | {
      readonly kind: 'ready';
      readonly coverage: readonly Coverage[];
      /** The queues of the groups that were stored had all that happened since the process before. */
      readonly isResumed: boolean;
    }
  | {
      readonly kind: 'failed';
      readonly code: AppErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    }
  | { readonly kind: 'problem'; readonly message: string }
  /** All events of changes before this question have been posted. */
  | { readonly kind: 'settled'; readonly question: number }
  /** There are others than before. */
  | { readonly kind: 'groups'; readonly groups: readonly HeldGroup[] }
  | BatchMessage;

/** A group that a later process may go on with, if a copy of its descriptor is kept. */
export interface HeldGroup {
  /** Never used again, as descriptors are. */
  readonly id: number;
  /** The reader's own. */
  readonly fd: number;
  /** The name of its copy, if it is one of the process before. */
  readonly former: string | undefined;
}

export interface BatchMessage {
  readonly kind: 'batch';
  /** All of it, when it changed. */
  readonly coverage: readonly Coverage[] | undefined;
  /** Come before the dirty paths. */
  readonly events: readonly WatchEvent[];
  readonly dirty: DirtyColumns;
}

export function sizeOfBatch({ events, dirty }: BatchMessage): number {
  return events.length + dirty.paths.length + dirty.renames.length + dirty.links.length;
}

export function eventsOfBatch({ events, dirty }: BatchMessage): WatchEvent[] {
  return [
    ...events,
    ...dirty.paths.map(
      (path, index): WatchEvent => ({
        kind: 'dirty',
        path: pathFromLatin1(path),
        subtree: dirty.subtree[index] ?? false,
        actor: dirty.actors[dirty.actorOf[index] ?? -1] ?? UNKNOWN_ACTOR,
      }),
    ),
    ...dirty.renames.map(
      (names): WatchEvent => ({
        kind: 'renamed',
        paths: names.flatMap((index) => dirty.paths[index] ?? []).map(pathFromLatin1),
      }),
    ),
    ...linksOf(dirty),
  ];
}

/** One event for each who changed them: what is asked of the baseline is asked once. */
function linksOf({ links, linkActorOf, actors }: DirtyColumns): WatchEvent[] {
  const keysOf = new Map<number, number[]>();
  for (const [at, inodeKey] of links.entries()) addTo(keysOf, linkActorOf[at] ?? -1, inodeKey);
  return [...keysOf].map(([at, inodeKeys]) => ({ kind: 'linked', inodeKeys, actor: actors[at] ?? UNKNOWN_ACTOR }));
}

/** Classes do not survive the way between threads. */
export function failureOf(message: Extract<ReaderMessage, { kind: 'failed' }>): AppError {
  return new AppError(message.code, message.message, message.hint === undefined ? {} : { hint: message.hint });
}
