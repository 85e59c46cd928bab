// Clients of other processes, on the dispatcher's thread.
import { closeFd } from '../../libc/handle.ts';
import { POLLIN, POLLOUT, type PollEntry } from '../../libc/poll.ts';
import { acceptFrom, credentialsOf } from '../../libc/socket.ts';
import type { SocketAccess } from './messages.ts';
import { Peer } from './peer.ts';

/** How long a connection may say nothing before it has to go; each takes the place of another. */
const GREETING_MS = 5_000;
/** Connections accepted at once, before events get their turn. */
const ACCEPT_MAX = 16;

/** Owns listening sockets and the connections that came from them. */
export class SocketServer {
  readonly #listening: { readonly fd: number; readonly access: SocketAccess }[] = [];
  #peers: Peer[] = [];

  listen(fd: number, access: SocketAccess): void {
    this.#listening.push({ fd, access });
  }

  get peers(): readonly Peer[] {
    return this.#peers;
  }

  /** What to wait for; give what came of it to `serve`, in the same order. */
  entries(): PollEntry[] {
    return [
      ...this.#listening.map(({ fd }) => ({ fd, events: POLLIN })),
      ...this.#peers.map(({ fd, hasMore }) => ({ fd, events: hasMore ? POLLIN | POLLOUT : POLLIN })),
    ];
  }

  serve(happened: readonly number[], nowMs: number): void {
    const peers = this.#peers;
    for (const [index, peer] of peers.entries()) {
      const events = happened[this.#listening.length + index] ?? 0;
      // POLLHUP and POLLERR come unasked; the next receive tells.
      if ((events & ~POLLOUT) !== 0) peer.receive();
      if (peer.isOpen && peer.matches === undefined && nowMs - peer.sinceMs > GREETING_MS)
        peer.refuse('no greeting came');
    }
    for (const [index, { fd, access }] of this.#listening.entries()) {
      if (happened[index] !== 0) this.#accept(fd, access, nowMs);
    }
  }

  #accept(listening: number, access: SocketAccess, nowMs: number): void {
    for (let count = 0; count < ACCEPT_MAX; count += 1) {
      const fd = acceptFrom(listening);
      if (fd === undefined) return;
      const peer = new Peer(fd, nowMs);
      const { uid, gid } = credentialsOf(fd);
      if (!access.uids.includes(uid) && !access.gids.includes(gid)) peer.refuse(`user ${uid} may not connect`);
      else if (this.#peers.length >= access.clients) peer.refuse('there are too many clients');
      else this.#peers.push(peer);
    }
  }

  /** Passes on what there is room for, and forgets who is gone. */
  flush(): void {
    for (const peer of this.#peers) peer.flush();
    this.#peers = this.#peers.filter(({ isOpen }) => isOpen);
  }

  /** Says goodbye to all. */
  close(): void {
    for (const peer of this.#peers) peer.finish();
    this.#peers = [];
    for (const { fd } of this.#listening) closeFd(fd);
    this.#listening.length = 0;
  }
}
