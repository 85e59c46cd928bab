// What a worker has read, and which file it has been at for a while, in memory that the main thread can look into at any time.
import { type BytePath, pathFromLatin1 } from '../domain/path.ts';
import { prefixOf } from './directory.ts';
import { NAME_BYTES, type Pace } from './pace.ts';

/** In a worker. */
export interface Meter {
  /** Bytes of content since the worker began. */
  bytesRead(): number;
  /** So many bytes of the present entry were read; waits when the pace says so. */
  count(bytes: number): void;
  /** What is read from now on is of this entry. */
  entry(dir: BytePath, name: string): void;
  /** The present entry is a file of this size, of which more than a little will be read. */
  begin(sizeBytes: number): void;
  /** That is done. */
  end(): void;
}

/** What a meter shows. */
export interface MeterReading {
  /** Bytes of content since the worker began. */
  readonly bytesRead: number;
  /** The file that is being read, once that has taken a while. */
  readonly file: MeteredFile | undefined;
}

export interface MeteredFile {
  readonly path: BytePath;
  readonly bytesRead: number;
  readonly sizeBytes: number;
}

/** Float64: what was read in all, of the file, and how large that is; Int32: a sequence number, odd while the path is written, and its length. */
const [TOTAL, OF_FILE, SIZE] = [0, 1, 2];
const [SEQUENCE, LENGTH] = [6, 7];
const PATH_AT = 32;
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
  let dir = pathFromLatin1('');
  let name = '';
  let isShown = false;

  const show = (text: string): void => {
    Atomics.add(words, SEQUENCE, 1);
    words[LENGTH] = path.write(text.slice(-PATH_MAX_BYTES), 'latin1');
    Atomics.add(words, SEQUENCE, 1);
    isShown = text !== '';
  };

  return {
    bytesRead: () => numbers[TOTAL] ?? 0,
    count: (bytes) => {
      numbers[TOTAL] = (numbers[TOTAL] ?? 0) + bytes;
      const ofFile = (numbers[OF_FILE] ?? 0) + bytes;
      numbers[OF_FILE] = ofFile;
      if (ofFile >= LASTS_BYTES && !isShown) show(prefixOf(dir) + name);
      pace?.spend(bytes);
    },
    entry: (entryDir, entryName) => {
      dir = entryDir;
      name = entryName;
      if (isShown) show('');
      numbers[OF_FILE] = 0;
      pace?.spend(NAME_BYTES);
    },
    begin: (sizeBytes) => {
      numbers[SIZE] = sizeBytes;
    },
    end: () => {
      if (isShown) show('');
    },
  };
}

/** On the main thread. */
export function readMeter(memory: SharedArrayBuffer): MeterReading {
  const numbers = new Float64Array(memory, 0, 3);
  return { bytesRead: numbers[TOTAL] ?? 0, file: fileOf(memory, numbers) };
}

function fileOf(memory: SharedArrayBuffer, numbers: Float64Array): MeteredFile | undefined {
  const words = new Int32Array(memory, 0, PATH_AT / 4);
  const sequence = Atomics.load(words, SEQUENCE);
  const length = words[LENGTH] ?? 0;
  const path = pathFromLatin1(Buffer.from(memory, PATH_AT, length).toString('latin1'));
  // Written meanwhile: the next look will show it.
  const isTorn = sequence % 2 !== 0 || Atomics.load(words, SEQUENCE) !== sequence;
  return isTorn || length === 0 ? undefined : { path, bytesRead: numbers[OF_FILE] ?? 0, sizeBytes: numbers[SIZE] ?? 0 };
}
