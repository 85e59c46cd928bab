// Seals: digests over length-prefixed parts, so that no two different lists of parts give the same bytes.

/** BLAKE3 in production: 32 bytes for any input. */
export type Hash = (bytes: Uint8Array) => Uint8Array;

export const SEAL_BYTES = 32;

/** What a chain or a sum starts from. */
export function noSeal(): Buffer {
  return Buffer.alloc(SEAL_BYTES);
}

/** Numbers are sealed as decimal text, text as UTF-8. */
export type SealPart = Uint8Array | string | number;

export function sealOf(hash: Hash, parts: readonly SealPart[]): Buffer {
  const bytes = parts.map((part) => (part instanceof Uint8Array ? part : Buffer.from(String(part), 'utf8')));
  const framed = Buffer.allocUnsafe(bytes.reduce((sum, part) => sum + 4 + part.length, 0));
  let at = 0;
  for (const part of bytes) {
    at = framed.writeUInt32LE(part.length, at);
    framed.set(part, at);
    at += part.length;
  }
  const seal = hash(framed);
  return Buffer.from(seal.buffer, seal.byteOffset, seal.byteLength);
}

export function isSameSeal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/**
 * Adds a seal to the sum of a set of rows, or takes it out again: exclusive or, so that the sum of any set follows from
 * the rows that changed. It finds damage; an attacker who can write the file can also compute a new sum.
 */
export function toggleSeal(sum: Buffer, seal: Uint8Array): void {
  for (let at = 0; at < SEAL_BYTES; at += 1) sum[at] = (sum[at] ?? 0) ^ (seal[at] ?? 0);
}
