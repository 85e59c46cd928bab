// BLAKE3 behind one small interface, whatever computes it.
import { AppError } from '../domain/errors.ts';
import { openNative } from './blake3-native.ts';
import { openWasm } from './blake3-wasm.ts';

export interface DigestEngine {
  readonly name: 'native' | 'wasm';
  /** 32 bytes. */
  digest(bytes: Uint8Array): Uint8Array;
  /** A digest over several pieces; must be finished or dropped before anything else is asked of the engine. */
  stream(): DigestStream;
  /** One that goes on for as long as it is wanted, beside whatever else is asked of the engine. */
  hasher(): Hasher;
}

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** 32 bytes, of everything so far; more may follow. */
  digest(): Uint8Array;
  /** Frees its memory. */
  drop(): void;
}

export interface DigestStream {
  update(bytes: Uint8Array): void;
  /** 32 bytes; ends the stream. */
  finish(): Uint8Array;
  /** Ends the stream without a result. */
  drop(): void;
}

/** `auto` is native where the prebuilt module loads. */
export type EngineChoice = 'auto' | 'native' | 'wasm';

export function openDigestEngine(choice: EngineChoice = 'auto'): DigestEngine {
  const engine = (choice === 'wasm' ? undefined : openNative()) ?? (choice === 'native' ? undefined : openWasm());
  if (engine === undefined) {
    throw new AppError('INTERNAL', `the ${choice} BLAKE3 engine does not load`, { hint: 'install the package again' });
  }
  return engine;
}

/** BLAKE3 as a function, for who only needs that: 32 bytes of any input. */
export function openHasher(choice: EngineChoice = 'auto'): (bytes: Uint8Array) => Uint8Array {
  const engine = openDigestEngine(choice);
  return (bytes) => engine.digest(bytes);
}
