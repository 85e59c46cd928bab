// What one turn of `for await (const batch of group.events())` gets.
import type { SystemError } from '../domain/errors.ts';
import type { FanotifyEvent } from './decode.ts';
import { closeEvent } from './event-fds.ts';
import { type EventPaths, type FileIdPaths, pathsOfEvent } from './event-paths.ts';

/** Events in the order of the queue. Their descriptors are closed when the loop asks for the next batch or ends. */
export class EventBatch implements Iterable<FanotifyEvent> {
  readonly events: readonly FanotifyEvent[];
  /**
   * Events that the kernel took from the queue and could not deliver, by the error of their read(2): EMFILE, or what
   * opening the object said (EROFS, ETXTBSY). With FAN_REPORT_FD_ERROR they come as events instead, `fd` being -errno.
   */
  readonly lost: readonly SystemError[];
  readonly #ids: FileIdPaths;
  readonly #kept = new Set<FanotifyEvent>();

  constructor(events: readonly FanotifyEvent[], lost: readonly SystemError[], ids: FileIdPaths) {
    this.events = events;
    this.lost = lost;
    this.#ids = ids;
  }

  /**
   * Where the event's object is, by its descriptor or, with `events({ resolver })`, by its file ids; those were looked up
   * when the event was read. Throws SystemError: EPERM without CAP_DAC_READ_SEARCH.
   */
  pathsOf(event: FanotifyEvent): EventPaths {
    return pathsOfEvent(event, this.#ids);
  }

  /** Takes an event out of the batch's care: its descriptors are the caller's now, to be closed with `closeEvent`. */
  keep(event: FanotifyEvent): FanotifyEvent {
    this.#kept.add(event);
    return event;
  }

  [Symbol.iterator](): Iterator<FanotifyEvent> {
    return this.events[Symbol.iterator]();
  }

  /** Closes the descriptors of all events that were not kept. Idempotent; `events()` does it. */
  [Symbol.dispose](): void {
    for (const event of this.events) if (!this.#kept.has(event)) closeEvent(event);
  }
}
