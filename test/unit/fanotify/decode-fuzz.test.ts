// Damaged events in numbers that a shrinking generator is too slow for. DRIFTLINE_FUZZ_RUNS=10000000 is the long form, and
// DRIFTLINE_FUZZ_SEED repeats a failure.
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/domain/errors.ts';
import { decodeEvents, type FanotifyEvent, measureEvents } from '../../../src/fanotify/decode.ts';
import { fileIdsIn } from '../../../src/fanotify/file-ids.ts';
import { randomOf } from '../../fakes/random.ts';
import { event, fid, record } from './event-bytes.ts';

const RUNS = Number(process.env['DRIFTLINE_FUZZ_RUNS'] ?? 50_000);
const SEED = Number(process.env['DRIFTLINE_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** What follows the events in their memory, and must not be seen. */
const BEYOND_BYTES = 64;
const TYPES = [1, 2, 3, 4, 5, 6, 7, 10, 12, 99];

const pick = randomOf(SEED);

function randomBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = pick(256);
  return bytes;
}

function randomRecord(): Buffer {
  const type = TYPES[pick(TYPES.length)] ?? 0;
  if (![1, 2, 3, 10, 12].includes(type)) return record(type, randomBytes(pick(6) * 4));
  return fid(type, randomBytes(pick(20)), pick(2) === 0 ? Buffer.from('name\0') : randomBytes(pick(12)));
}

function randomEvents(): Buffer {
  const records = () => Array.from({ length: pick(4) }, randomRecord);
  return Buffer.concat(Array.from({ length: 1 + pick(3) }, () => event(BigInt(2 ** pick(33)), pick(9), records())));
}

const CORPUS = Array.from({ length: 500 }, randomEvents);
const LONGEST = Math.max(...CORPUS.map(({ length }) => length));
const memory = Buffer.alloc(LONGEST + BEYOND_BYTES);

/** Fills the memory; returns how much of it counts. */
function damage(): number {
  const source = CORPUS[pick(CORPUS.length)] ?? Buffer.alloc(0);
  source.copy(memory);
  let { length } = source;
  if (pick(4) === 0) length = pick(length + 1);
  for (let count = pick(4); count > 0 && length > 0; count -= 1) memory[pick(length)] = pick(pick(2) === 0 ? 256 : 32);
  return length;
}

function decode(length: number): FanotifyEvent[] | string {
  try {
    return decodeEvents(memory, length);
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

/** Undefined when all is as it should be. */
function complaint(decoded: FanotifyEvent[] | string, length: number): string | undefined {
  memory.fill(0xff, length);
  if (!isDeepStrictEqual(decode(length), decoded)) return 'reads beyond the length';
  if (typeof decoded === 'string') return undefined;
  if (measureEvents(memory, length).count !== decoded.length) return 'measures another count';
  const text = memory.toString('latin1', 0, length);
  const isThere = ({ fsid, handle }: { readonly fsid: string; readonly handle: string }) =>
    text.includes(Buffer.from(fsid, 'hex').toString('latin1') + handle);
  const ids = decoded.flatMap(({ records }) => records.filter((one) => 'handle' in one));
  if (!ids.every(isThere)) return 'makes up an id';
  return fileIdsIn(memory, length).every(isThere) ? undefined : 'makes up an id without decoding';
}

test(`${RUNS} damaged inputs, seed ${SEED}`, { timeout: 3_600_000 }, () => {
  let whole = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const length = damage();
    memory.fill(0, length);
    const decoded = decode(length);
    const found = complaint(decoded, length);
    if (found !== undefined) expect.fail(`${found}: ${memory.toString('hex', 0, length)}`);
    if (typeof decoded !== 'string') whole += 1;
  }
  // Neither only rubbish nor only what is sound.
  expect(whole).toBeGreaterThan(RUNS / 10);
  expect(whole).toBeLessThan(RUNS);
});
