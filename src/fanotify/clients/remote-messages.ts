// What the main thread and the thread that receives for a remote client tell each other.

export interface ReceiverSettings {
  /** The connected socket; the main thread owns it. */
  readonly socketFd: number;
  readonly wakeFd: number;
  /** Int32Array with the slots below. */
  readonly control: SharedArrayBuffer;
}

/** Set to 1: end. */
export const STOP = 0;
/** Messages posted and not yet taken; beyond some they stay in the socket, and then with the server. */
export const IN_FLIGHT = 1;
export const CONTROL_BYTES = 8;

export type ReceiverMessage =
  /** One message of protocol.ts; the descriptors belong to the main thread. */
  { readonly kind: 'message'; readonly bytes: Uint8Array; readonly fds: readonly number[] } | { readonly kind: 'gone' };
