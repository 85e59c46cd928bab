// BLAKE3 in WebAssembly: runs wherever Node does. The only import of blake3.
import { createRequire } from 'node:module';
import type { DigestEngine } from './digest.ts';

const require = createRequire(import.meta.url);

/** The engine, or undefined where WebAssembly is not to be had (node --jitless). */
export function openWasm(): DigestEngine | undefined {
  const wasm = load();
  if (wasm === undefined) return undefined;
  return {
    name: 'wasm',
    // Text only when an encoding is asked for.
    digest: (bytes) => wasm.hash(bytes) as Buffer,
    stream: () => {
      // Its memory lies in the WASM heap, out of the collector's sight: both ends of a stream free it.
      const hash = wasm.createHash();
      return {
        update: (bytes) => void hash.update(bytes),
        finish: () => hash.digest(),
        drop: () => hash.dispose(),
      };
    },
    hasher: () => {
      const hash = wasm.createHash();
      return {
        update: (bytes) => void hash.update(bytes),
        digest: () => hash.digest({ dispose: false }),
        drop: () => hash.dispose(),
      };
    },
  };
}

function load(): typeof import('blake3') | undefined {
  try {
    return require('blake3') as typeof import('blake3');
  } catch {
    // The module compiles its WASM when it is loaded; without WebAssembly that is a ReferenceError.
    return undefined;
  }
}
