// What a run printed, in bounded memory however much it was.

/** Bytes kept from the beginning and from the end. */
const OUTPUT_KEPT_BYTES = 32 * 1024;

/** The first and the last `keptBytes` bytes of a stream; a marker line says how much is missing between them. */
export class OutputCapture {
  readonly #head: Buffer;
  readonly #tail: Buffer;
  #totalBytes = 0;

  constructor(keptBytes: number = OUTPUT_KEPT_BYTES) {
    this.#head = Buffer.alloc(keptBytes);
    this.#tail = Buffer.alloc(keptBytes);
  }

  write(chunk: Uint8Array): void {
    const headBytes = Math.min(chunk.length, Math.max(0, this.#head.length - this.#totalBytes));
    this.#head.set(chunk.subarray(0, headBytes), this.#totalBytes < this.#head.length ? this.#totalBytes : 0);
    this.#writeTail(chunk.subarray(headBytes), this.#totalBytes + headBytes - this.#head.length);
    this.#totalBytes += chunk.length;
  }

  /** As text; bytes that are not UTF-8 become U+FFFD. */
  text(): string {
    const kept = this.#head.length;
    if (this.#totalBytes <= kept) return this.#head.toString('utf8', 0, this.#totalBytes);
    const dropped = this.#totalBytes - 2 * kept;
    if (dropped <= 0)
      return Buffer.concat([this.#head, this.#tail.subarray(0, this.#totalBytes - kept)]).toString('utf8');
    const oldest = (this.#totalBytes - kept) % kept;
    const tail = Buffer.concat([this.#tail.subarray(oldest), this.#tail.subarray(0, oldest)]);
    return `${this.#head.toString('utf8')}\n[${dropped} bytes dropped]\n${tail.toString('utf8')}`;
  }

  /** `written`: bytes that the ring has seen before this chunk. */
  #writeTail(chunk: Uint8Array, written: number): void {
    if (chunk.length === 0) return;
    const size = this.#tail.length;
    const last = chunk.subarray(Math.max(0, chunk.length - size));
    const at = (written + chunk.length - last.length) % size;
    const untilWrap = last.subarray(0, size - at);
    this.#tail.set(untilWrap, at);
    this.#tail.set(last.subarray(untilWrap.length), 0);
  }
}
