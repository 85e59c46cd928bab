// BLAKE3 with the processor's vector instructions. The only import of @napi-rs/blake-hash.
import { createRequire } from 'node:module';
import type { DigestEngine } from './digest.ts';

const require = createRequire(import.meta.url);

/** The engine, or undefined where no prebuilt module fits the machine. */
export function openNative(): DigestEngine | undefined {
  const native = load();
  if (native === undefined) return undefined;
  const hasher = new native.Blake3Hasher();
  const finish = (): Buffer => Buffer.from(hasher.digest('hex'), 'hex');
  return {
    name: 'native',
    // One call instead of three, and through text: a Buffer that native code allocates costs half a microsecond more.
    digest: (bytes) => decodeDigest(native.blake3UrlSafeBase64(bytes)),
    stream: () => {
      hasher.reset();
      return { update: (bytes) => void hasher.update(bytes), finish, drop: () => hasher.reset() };
    },
    hasher: () => {
      const own = new native.Blake3Hasher();
      return {
        update: (bytes) => void own.update(bytes),
        digest: () => Buffer.from(own.digest('hex'), 'hex'),
        drop: () => own.reset(),
      };
    },
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const SIX_BITS = new Uint8Array(128);
for (let index = 0; index < 64; index += 1) SIX_BITS[ALPHABET.charCodeAt(index)] = index;

/** base64url of 32 bytes; a Buffer from Node costs twice as much. */
function decodeDigest(text: string): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let from = 0, to = 0; to < 32; from += 4, to += 3) {
    // 43 digits: of the last group there are three.
    const last = to < 30 ? sixBits(text, from + 3) : 0;
    const bits = (sixBits(text, from) << 18) | (sixBits(text, from + 1) << 12) | (sixBits(text, from + 2) << 6) | last;
    bytes[to] = bits >> 16;
    bytes[to + 1] = bits >> 8;
    bytes[to + 2] = bits;
  }
  return bytes;
}

function sixBits(text: string, at: number): number {
  return SIX_BITS[text.charCodeAt(at)] ?? 0;
}

function load(): typeof import('@napi-rs/blake-hash') | undefined {
  try {
    return require('@napi-rs/blake-hash') as typeof import('@napi-rs/blake-hash');
  } catch {
    // Its loader throws whatever went wrong with each candidate; the portable engine serves in every such case.
    return undefined;
  }
}
