// Memory for bytes that somebody else reads at once and nobody keeps.

const FIRST_BYTES = 32 * 1024;
/** Whatever is longer gets memory of its own, which goes again. */
const KEPT_MAX_BYTES = 1024 * 1024;

/** Makes a source of memory: each call gives the first `lengthBytes` bytes of the same memory, with what is there already. */
export function createScratch(): (lengthBytes: number) => Buffer {
  let kept = Buffer.allocUnsafeSlow(FIRST_BYTES);
  return (lengthBytes) => {
    if (lengthBytes > KEPT_MAX_BYTES) return Buffer.allocUnsafeSlow(lengthBytes);
    if (lengthBytes > kept.length) kept = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(lengthBytes)));
    return kept.subarray(0, lengthBytes);
  };
}
