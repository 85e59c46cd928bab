// What a worker has read, and where it is, in memory that the main thread can look into at any time.
import { type BytePath, pathFromLatin1, ROOT_DIR } from '../domain/path.ts';
import { prefixOf } from './directory.ts';
import { NAME_BYTES, type Pace } from './pace.ts';

/** In a worker. */
export interface Meter {
  /** Bytes of content since the worker began. */
  bytesRead(): number;
  /** So many bytes of the present entry were read; waits when the pace says so. */
  count(bytes: number): void;
  /** What is read from now on is in this directory. */
  directory(dir: BytePath): void;
  /** What is read from now on is of this entry of the directory. */
  entry(name: string): void;
  /** The present entry is a file of this size, of which more than a little will be read. */
  begin(sizeBytes: number): void;
  /** That is done. */
  end(): void;
  /** Nothing is read until there is a directory again. */
  rest(): void;
}

/** What a meter shows. */
export interface MeterReading {
  /** Bytes of content since the worker began. */
  readonly bytesRead: number;
  readonly at: MeteredPath | undefined;
}

/** The directory that is being read, or a file in it once that has taken a while. */
export type MeteredPath = { readonly kind: 'directory'; readonly path: BytePath } | MeteredFile;

export interface MeteredFile {
  readonly kind: 'file';
  readonly path: BytePath;
  readonly bytesRead: number;
  readonly sizeBytes: number;
}

/**
 * Float64: what was read in all, of the file, and how large that is; Int32: a sequence number, odd while the path is written, its
 * length, and whether it is that of a file.
 */
const [TOTAL, OF_FILE, SIZE] = [0, 1, 2];
const [SEQUENCE, LENGTH, IS_FILE] = [6, 7, 8];
const PATH_AT = 40;
/** Of a longer path only the end is shown. */
const PATH_MAX_BYTES = 4096;
export const METER_BYTES = PATH_AT + PATH_MAX_BYTES;

/** Who has read so much of a file will be at it for a while. */
const LASTS_BYTES = 1024 * 1024;

export function createMeter(memory: SharedArrayBuffer, pace: Pace | undefined): Meter {
  // Not variables: on its way past 2^31 a variable's type would change, and the compiled loop be thrown away.
  const numbers = new Float64Array(memory, 0, 3);
  const words = new Int32Array(memory, 0, PATH_AT / 4);
  const path = Buffer.from(memory, PATH_AT);
  let dir = ROOT_DIR;
  let name = '';
  let isFileShown = false;

  const show = (text: string, isFile: boolean): void => {
    Atomics.add(words, SEQUENCE, 1);
    words[LENGTH] = path.write(text.slice(-PATH_MAX_BYTES), 'latin1');
    words[IS_FILE] = isFile ? 1 : 0;
    Atomics.add(words, SEQUENCE, 1);
    isFileShown = isFile;
  };
  const directory = (next: BytePath): void => {
    dir = next;
    show(dir, false);
  };

  return {
    bytesRead: () => numbers[TOTAL] ?? 0,
    count: (bytes) => {
      numbers[TOTAL] = (numbers[TOTAL] ?? 0) + bytes;
      const ofFile = (numbers[OF_FILE] ?? 0) + bytes;
      numbers[OF_FILE] = ofFile;
      if (ofFile >= LASTS_BYTES && !isFileShown) show(prefixOf(dir) + name, true);
      pace?.spend(bytes);
    },
    directory,
    entry: (entryName) => {
      name = entryName;
      if (isFileShown) show(dir, false);
      numbers[OF_FILE] = 0;
      pace?.spend(NAME_BYTES);
    },
    begin: (sizeBytes) => {
      numbers[SIZE] = sizeBytes;
    },
    end: () => {
      if (isFileShown) show(dir, false);
    },
    rest: () => directory(ROOT_DIR),
  };
}

/** On the main thread. */
export function readMeter(memory: SharedArrayBuffer): MeterReading {
  const numbers = new Float64Array(memory, 0, 3);
  return { bytesRead: numbers[TOTAL] ?? 0, at: pathOf(memory, numbers) };
}

function pathOf(memory: SharedArrayBuffer, numbers: Float64Array): MeteredPath | undefined {
  const words = new Int32Array(memory, 0, PATH_AT / 4);
  const sequence = Atomics.load(words, SEQUENCE);
  const length = words[LENGTH] ?? 0;
  const isFile = words[IS_FILE] !== 0;
  const path = pathFromLatin1(Buffer.from(memory, PATH_AT, length).toString('latin1'));
  // Written meanwhile: the next look will show it.
  const isTorn = sequence % 2 !== 0 || Atomics.load(words, SEQUENCE) !== sequence;
  if (isTorn || length === 0) return undefined;
  if (!isFile) return { kind: 'directory', path };
  return { kind: 'file', path, bytesRead: numbers[OF_FILE] ?? 0, sizeBytes: numbers[SIZE] ?? 0 };
}
