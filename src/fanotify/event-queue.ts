// Events between the reading thread and the consumer: bytes as they were read, decoded when they are taken. What is not
// taken has descriptors all the same, and this queue closes them.
import type { SystemError } from '../domain/errors.ts';
import { decodeEvents, type FanotifyEvent, measureEvents } from './decode.ts';
import { type EarlyPaths, preferEarly } from './early-paths.ts';
import { EventBatch } from './event-batch.ts';
import { closeEvent } from './event-fds.ts';
import type { FileIdPaths } from './event-paths.ts';

/** Whole events of one read(2). */
interface Chunk {
  readonly bytes: Buffer;
  readonly paths: EarlyPaths | undefined;
}

/** Without a resolver. */
const NO_PATHS: FileIdPaths = { pathsOf: () => [], fileMountsOf: () => [] };

/** Owned by a group, and outlives the streams that fill it: what a loop left behind, the next one gets. */
export class EventQueue {
  #chunks: Chunk[] = [];
  #lost: SystemError[] = [];
  #isClosed = false;

  push(bytes: Buffer, paths: EarlyPaths | undefined): void {
    if (this.#isClosed) closeAll(bytes);
    else this.#chunks.push({ bytes, paths });
  }

  lose(error: SystemError): void {
    this.#lost.push(error);
  }

  takeLost(): SystemError | undefined {
    return this.#lost.shift();
  }

  /** The number of events; 0 when all were taken. */
  count(): number {
    return this.#chunks.reduce((sum, { bytes }) => sum + measureEvents(bytes).count, 0);
  }

  /** The first events, `max` at most; undefined when there is nothing to tell. */
  take(max: number, ids: FileIdPaths = NO_PATHS): EventBatch | undefined {
    if (this.#chunks.length === 0 && this.#lost.length === 0) return undefined;
    const paths = this.#chunks[0]?.paths;
    const batch = new EventBatch(
      this.#takeEvents(max),
      this.#lost,
      paths === undefined ? ids : preferEarly(paths, ids),
    );
    this.#lost = [];
    return batch;
  }

  #takeEvents(max: number): FanotifyEvent[] {
    let events: FanotifyEvent[] = [];
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      const { bytes, paths } = chunk;
      const { bytes: taken } = measureEvents(bytes, bytes.length, max - events.length);
      const decoded = decodeEvents(bytes, taken);
      if (events.length === 0) events = decoded;
      else for (const event of decoded) events.push(event);
      if (taken < bytes.length) this.#chunks.unshift({ bytes: bytes.subarray(taken), paths });
      // Paths are those of one moment: another chunk's may differ.
      if (events.length >= max || paths !== this.#chunks[0]?.paths) break;
    }
    return events;
  }

  /** Closes the descriptors of what is there, and of what still comes. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const { bytes } of this.#chunks) closeAll(bytes);
    this.#chunks = [];
  }
}

function closeAll(bytes: Buffer): void {
  for (const event of decodeEvents(bytes)) closeEvent(event);
}
