// What a stream and its reading thread tell each other. To the thread go MountPoints, each time they change.
import type { EarlyPaths } from './early-paths.ts';

export interface StreamSettings {
  /** The thread's own descriptor of the group; it closes it. */
  readonly groupFd: number;
  /** An eventfd that the stream owns, and writes to when `control` has news. */
  readonly wakeFd: number;
  /** Int32Array with the slots below. */
  readonly control: SharedArrayBuffer;
  readonly bufferBytes: number;
  readonly maxHeldEvents: number;
}

/** Set to 1: end. */
export const STOP = 0;
/** Set to 1 by the thread: it has closed its descriptor and calls nothing any more. */
export const ENDED = 1;
/** Events posted and not yet done with. */
export const HELD = 2;
/** Set to 1 by the thread while it leaves events in the kernel for want of room. */
export const STALLED = 3;
export const CONTROL_BYTES = 16;

export type StreamMessage =
  /** Whole events, as read(2) gave them; the paths when the thread was told of mounts, unless they are as before. */
  | {
      readonly kind: 'events';
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly paths: EarlyPaths | 'same' | undefined;
    }
  /** read(2) took an event from the queue and could not deliver it. */
  | { readonly kind: 'lost'; readonly errno: number }
  | { readonly kind: 'stalled'; readonly heldEvents: number; readonly queuedEvents: number }
  /** The thread ends. */
  | { readonly kind: 'failed'; readonly syscall: string | undefined; readonly errno: number; readonly message: string };
