// What the main thread and the dispatcher's thread tell each other.
import type { MessagePort } from 'node:worker_threads';
import type { BytePath } from '../../domain/path.ts';
import type { PlainRule } from './rules.ts';

/** Whose own events are left out: nobody's, this process's, or those of its descendants as well. */
export type IgnoredOwn = 'none' | 'process' | 'descendants';

export interface DispatcherSettings {
  /** The group; the main thread owns it. */
  readonly groupFd: number;
  /** An eventfd that the main thread owns and writes to when there is a message. */
  readonly wakeFd: number;
  readonly port: MessagePort;
  readonly ignoreOwn: IgnoredOwn;
}

/** Who may connect to a socket. */
export interface SocketAccess {
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly clients: number;
}

export type MainMessage =
  | { readonly kind: 'connect'; readonly id: number; readonly rule: PlainRule; readonly capacity: number }
  | { readonly kind: 'taken'; readonly id: number; readonly count: number }
  | { readonly kind: 'disconnect'; readonly id: number }
  /** Events may come from the filesystem of this path. */
  | { readonly kind: 'filesystem'; readonly path: BytePath }
  /** The dispatcher owns the socket from here on. */
  | { readonly kind: 'listen'; readonly fd: number; readonly access: SocketAccess }
  | { readonly kind: 'stop' };

export type DispatcherMessage =
  | { readonly kind: 'ready' }
  /** `bytes`: `count` records of wire.ts, descriptors by their numbers; they belong to the client. */
  | { readonly kind: 'items'; readonly id: number; readonly count: number; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly message: string };
