// Proof that events arrive: for each mount, its own directory is opened under a mark that tells of it, and the event has to
// come the way that all events come. It writes nothing into anybody's filesystem and leaves nothing behind.
import { closeSync, constants, openSync } from 'node:fs';
import { errorCode } from '../domain/errors.ts';
import { type BytePath, pathToBytes } from '../domain/path.ts';
import { FAN_MARK_INODE, FAN_MARK_ONLYDIR, FAN_ONDIR, FAN_OPEN } from '../fanotify/abi.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import type { FanotifyGroup } from '../fanotify/group.ts';
import { handleOfPath } from '../libc/handle.ts';

/** A reader that is behind by this much does not read. */
const PATIENCE_MS = 10_000;
const PLACE = FAN_MARK_INODE | FAN_MARK_ONLYDIR;
/** A filesystem that does not open its own directory is broken: shut down, its server or its device gone. */
const BROKEN: ReadonlySet<string> = new Set(['EIO', 'ENXIO', 'ESHUTDOWN', 'ESTALE', 'ENOTCONN', 'EUCLEAN']);

interface Flight {
  readonly canary: Canary;
  readonly handle: string;
  readonly deadlineMs: number;
}

/** A mount of which nothing is heard, and why. */
export interface Silence {
  readonly at: BytePath;
  readonly reason: string;
}

/** Where one is sent. */
export interface Canary {
  readonly group: FanotifyGroup;
  /** The mount point. */
  readonly at: BytePath;
  /** The directory has a mark of its own that stays. */
  readonly isMarked: boolean;
}

export class Canaries {
  readonly #flights = new Map<BytePath, Flight>();
  #heard: BytePath[] = [];
  #broken: Silence[] = [];

  /**
   * One at a time for each mount. Where it cannot be sent (a mounted file, no file handles) nothing follows from that, unless
   * the filesystem is broken.
   */
  send(canary: Canary, nowMs: number): void {
    const { group, at } = canary;
    if (this.#flights.has(at)) return;
    try {
      const handle = handleOfPath(at);
      // Only now: opens by others would be events, too.
      group.mark(PLACE, FAN_OPEN | FAN_ONDIR, at);
      this.#flights.set(at, { canary, handle, deadlineMs: nowMs + PATIENCE_MS });
      closeSync(openSync(pathToBytes(at), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK));
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      this.#land(at);
      if (BROKEN.has(code)) this.#broken.push({ at, reason: `its directory cannot be opened: ${code}` });
    }
  }

  /** Whether the event says nothing but that a directory with a canary was opened, by whomever; arrivals are noted. */
  takes({ mask, records, pid }: FanotifyEvent): boolean {
    if ((mask & FAN_OPEN) === 0) return false;
    for (const record of records) {
      if (!('handle' in record) || pid !== process.pid) continue;
      for (const [at, { handle }] of this.#flights) {
        if (handle !== record.handle) continue;
        this.#heard.push(at);
        this.#land(at);
      }
    }
    return (mask & ~(FAN_OPEN | FAN_ONDIR)) === 0;
  }

  /** The marks were removed, maybe before an event came. */
  renew(nowMs: number): void {
    const canaries = [...this.#flights.values()].map(({ canary }) => canary);
    for (const { at } of canaries) this.#land(at);
    for (const canary of canaries) this.send(canary, nowMs);
  }

  /** The mounts whose event did not come in time, each once. */
  overdue(nowMs: number): Silence[] {
    const late = [...this.#flights].filter(([, { deadlineMs }]) => deadlineMs <= nowMs).map(([at]) => at);
    for (const at of late) this.#land(at);
    return late.map((at) => ({ at, reason: 'no event came when its directory was opened' }));
  }

  /** The mounts that could not be asked since the last call, because they are broken. */
  takeBroken(): Silence[] {
    const broken = this.#broken;
    this.#broken = [];
    return broken;
  }

  /** The mounts whose event came since the last call. */
  takeHeard(): BytePath[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  #land(at: BytePath): void {
    const canary = this.#flights.get(at)?.canary;
    this.#flights.delete(at);
    try {
      canary?.group.unmark(PLACE, canary.isMarked ? FAN_OPEN : FAN_OPEN | FAN_ONDIR, at);
    } catch (error) {
      // Unmounted, hidden or replaced meanwhile: then the mark is gone, or tells of what nobody asks for.
      if (errorCode(error) === undefined) throw error;
    }
  }
}
