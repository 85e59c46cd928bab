// Events between the reading thread and the consumer: bytes as they were read, decoded when they are taken. What is not
// taken has descriptors all the same, and this queue closes them.
import type { SystemError } from '../domain/errors.ts';
import { decodeEvents, type FanotifyEvent, measureEvents } from './decode.ts';
import { EventBatch } from './event-batch.ts';
import { closeEvent } from './event-fds.ts';

/** Owned by a group, and outlives the streams that fill it: what a loop left behind, the next one gets. */
export class EventQueue {
  #chunks: Buffer[] = [];
  #lost: SystemError[] = [];
  #isClosed = false;

  /** Events of one read(2). */
  push(bytes: Buffer): void {
    if (this.#isClosed) closeAll(bytes);
    else this.#chunks.push(bytes);
  }

  lose(error: SystemError): void {
    this.#lost.push(error);
  }

  takeLost(): SystemError | undefined {
    return this.#lost.shift();
  }

  /** The number of events; 0 when all were taken. */
  count(): number {
    return this.#chunks.reduce((sum, chunk) => sum + measureEvents(chunk).count, 0);
  }

  /** The first events, `max` at most; undefined when there is nothing to tell. */
  take(max: number): EventBatch | undefined {
    if (this.#chunks.length === 0 && this.#lost.length === 0) return undefined;
    const events: FanotifyEvent[] = [];
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      const { bytes } = measureEvents(chunk, chunk.length, max - events.length);
      for (const event of decodeEvents(chunk, bytes)) events.push(event);
      if (bytes < chunk.length) this.#chunks.unshift(chunk.subarray(bytes));
      if (events.length >= max) break;
    }
    const batch = new EventBatch(events, this.#lost);
    this.#lost = [];
    return batch;
  }

  /** Closes the descriptors of what is there, and of what still comes. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const chunk of this.#chunks) closeAll(chunk);
    this.#chunks = [];
  }
}

function closeAll(bytes: Buffer): void {
  for (const event of decodeEvents(bytes)) closeEvent(event);
}
