// Files that are appended to without end: each reading goes on where the last one ended, with the hasher that it had. Whether
// what was read before is still the same is not asked; who wants to know that reads all of it.
import type { DigestEngine, Hasher } from './digest.ts';

/** Each some kilobytes of memory; of more files, those that were read longest ago are read from their beginning. */
const FILES_MAX = 32;

interface Appended {
  readonly token: number;
  readonly hasher: Hasher;
  /** How much of the file the hasher has seen. */
  offset: number;
}

/** Reads up to `count` bytes from `offset` on and hands them over in pieces; returns how many there were, or a negative errno. */
export type ReadFrom = (offset: number, count: number, take: (bytes: Uint8Array) => void) => number;

export interface AppendedFiles {
  /**
   * The digest of the first `sizeBytes` bytes of a file; undefined when there are not so many; or a negative errno. `file`
   * names the object for good. A `token` other than the last time: from the beginning.
   */
  digest(file: string, token: number, sizeBytes: number, read: ReadFrom): Uint8Array | number | undefined;
}

export function openAppendedFiles(engine: DigestEngine): AppendedFiles {
  const files = new Map<string, Appended>();

  const forget = (file: string): void => {
    files.get(file)?.hasher.drop();
    files.delete(file);
  };

  const stateOf = (file: string, token: number, sizeBytes: number): Appended => {
    const known = files.get(file);
    if (known !== undefined && known.token === token && known.offset < sizeBytes) {
      // To the end: a Map iterates in the order of insertion.
      files.delete(file);
      files.set(file, known);
      return known;
    }
    forget(file);
    const [oldest] = files.size >= FILES_MAX ? files.keys() : [];
    if (oldest !== undefined) forget(oldest);
    const fresh = { token, hasher: engine.hasher(), offset: 0 };
    files.set(file, fresh);
    return fresh;
  };

  return {
    digest(file, token, sizeBytes, read) {
      const state = stateOf(file, token, sizeBytes);
      const wanted = sizeBytes - state.offset;
      const got = read(state.offset, wanted, (bytes) => state.hasher.update(bytes));
      if (got === wanted) {
        state.offset = sizeBytes;
        return state.hasher.digest();
      }
      forget(file);
      return got < 0 ? got : undefined;
    },
  };
}
