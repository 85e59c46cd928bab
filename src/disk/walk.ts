// The walk: directories wait on a stack, workers turn them into pages and further directories.
import type { BytePath } from '../domain/path.ts';
import { hasTurn } from '../domain/round.ts';
import type { Page, WalkOptions } from '../engine/ports/disk.ts';
import { pagesOf } from './page.ts';
import type { Pool } from './pool.ts';
import { CANCELED, CONTROL_BYTES, HUNGRY, type Reply, type WalkSetup, type Work } from './protocol.ts';
import { packWork, push, rootWork, unpackWork, withKnown } from './work.ts';

type PagesReply = Extract<Reply, { kind: 'pages' }>;

/** Requests per worker that are under way or wait to be taken: one to work on, one so that nobody waits for the next. */
const AHEAD = 2;
/** Directories in one request. */
const BATCH = 16;

let lastId = 0;

/** Begins with a walk; what it returns ends it. */
type Companion = (pool: Pool) => () => void;
const ALONE: Companion = () => () => {};

/** `Disk.walk`. */
export async function* walk(
  pool: Pool,
  from: readonly BytePath[],
  { known, seals, round, onUnchanged, signal }: WalkOptions = {},
  companion = ALONE,
): AsyncGenerator<Page> {
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
  lastId += 1;
  const setup: WalkSetup = {
    id: lastId,
    control: control.buffer as SharedArrayBuffer,
    // What the baseline knows of a directory is here, not there.
    descend: known === undefined || seals !== undefined,
    quick: known !== undefined && seals !== undefined,
    ...(seals !== undefined && { seals: seals.memory }),
    ...(round !== undefined && { round }),
  };
  const isDue = ({ dir }: Work): boolean => round !== undefined && hasTurn(round, dir);
  const stack = rootWork(from);
  const ready: Page[][] = [];
  let asked = 0;
  let failure: unknown;
  let wake = (): void => {};

  const ask = (): void => {
    while (failure === undefined && asked + ready.length < pool.size() * AHEAD && stack.length > 0) {
      const work = takeBatch(stack, pool.size()).map((piece) =>
        (setup.quick && piece.kind === 'list') || isDue(piece) ? piece : withRun(piece, known),
      );
      asked += 1;
      pool
        .ask({ kind: 'pages', work: work.map(packWork), walk: setup }, transferOf(work))
        .then(take, (error: unknown) => {
          failure = error;
        })
        .finally(() => {
          asked -= 1;
          wake();
        });
    }
    Atomics.store(control, HUNGRY, stack.length === 0 && pool.isIdle() ? 1 : 0);
  };
  const take = ({ pages, records, unchanged, rest }: PagesReply): void => {
    push(stack, rest.map(unpackWork));
    if (pages.length > 0) ready.push(pagesOf(pages, records));
    if (unchanged.entries > 0) onUnchanged?.(unchanged);
  };
  const onAbort = (): void => wake();
  signal?.addEventListener('abort', onAbort, { once: true });

  const end = companion(pool);
  try {
    while (failure === undefined) {
      signal?.throwIfAborted();
      ask();
      const pages = ready.shift();
      if (pages === undefined && asked === 0) return;
      if (pages === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else {
        for (const page of pages) {
          yield page;
          signal?.throwIfAborted();
        }
      }
    }
    throw failure;
  } finally {
    end();
    signal?.removeEventListener('abort', onAbort);
    failure ??= 'stopped';
    Atomics.store(control, CANCELED, 1);
  }
}

/** Several directories while there are plenty; a range is work enough for one request. */
function takeBatch(stack: Work[], threads: number): Work[] {
  const wanted = Math.max(1, Math.min(BATCH, Math.floor(stack.length / (AHEAD * threads))));
  const batch: Work[] = [];
  while (batch.length < wanted) {
    const piece = stack.at(-1);
    if (piece === undefined || (!isDirectory(piece) && batch.length > 0)) break;
    stack.pop();
    batch.push(piece);
    if (!isDirectory(piece)) break;
  }
  return batch;
}

function isDirectory({ kind }: Work): boolean {
  return kind === 'list' || kind === 'compare';
}

function withRun(piece: Work, known: WalkOptions['known']): Work {
  if (known === undefined) return piece;
  const run = known(piece.dir, piece.after, piece.upTo);
  // A copy of its own: a Buffer may be a view into memory that belongs to others.
  return run.length === 0 ? piece : withKnown(piece, new Uint8Array(run));
}

function transferOf(work: readonly Work[]): ArrayBuffer[] {
  return work.flatMap(({ known }) => (known === undefined ? [] : [known.buffer as ArrayBuffer]));
}
