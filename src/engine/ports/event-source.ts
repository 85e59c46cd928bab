// What a watcher says.
import type { Actor } from '../../domain/actor.ts';
import type { Coverage } from '../../domain/coverage.ts';
import type { BytePath } from '../../domain/path.ts';

/** `covered`: another mount now hides a watched path; `lost`: the mount is gone or its mark is. */
export type CoverageState = 'watched' | 'covered' | 'lost';

/** What a watcher says; hints, never facts. */
export type WatchEvent =
  /** `subtree`: everything below may have changed with it (a directory appeared, moved or went). */
  | { readonly kind: 'dirty'; readonly path: BytePath; readonly subtree: boolean; readonly actor: Actor }
  /** Dirty paths of the same batch that are names of one rename, old and new: to be compared at the same time. */
  | { readonly kind: 'renamed'; readonly paths: readonly BytePath[] }
  /** Files of the baseline were changed under names that may not be their only ones: all their names are in doubt. */
  | { readonly kind: 'linked'; readonly inodeKeys: readonly number[]; readonly actor: Actor }
  /** Events of all mounts were lost since `sinceMs` (ms since the epoch): everything has to be compared. */
  | { readonly kind: 'overflow'; readonly sinceMs: number }
  /** A mount's coverage changed; `covered`: a mount now hides a watched path. */
  | { readonly kind: 'coverage'; readonly coverage: Coverage; readonly state: CoverageState };

export interface EventSource {
  coverage(): readonly Coverage[];
  /** Batches in the order of arrival; ends after `close`. One consumer. Events queue without bound in the kernel's bound. */
  events(): AsyncIterable<readonly WatchEvent[]>;
  /** Resolves when the consumer has taken all events of changes that were made before the call; or when the source is closed. */
  settled(): Promise<void>;
  /** Events read but not yet taken. */
  backlog(): number;
  /** Idempotent; removes the marks and ends `events()`. */
  close(): Promise<void>;
}
