// The walk: directories wait on a stack, workers turn them into pages and further directories.
import { type BytePath, dirOf, isWithin, joinPath, nameOf, outermostPaths, ROOT_DIR } from '../domain/path.ts';
import type { Page, WalkOptions } from '../engine/ports/disk.ts';
import { pagesOf } from './page.ts';
import type { Pool } from './pool.ts';
import type { FoundPage, Reply, Work } from './protocol.ts';

type PagesReply = Extract<Reply, { kind: 'pages' }>;

/** Requests per worker that are under way or wait to be taken: one to work on, one so that nobody waits for the next. */
const AHEAD = 2;
/** Directories in one request. */
const BATCH = 16;

/** `Disk.walk`; `scopeRoots` are all paths of rules, which may lie beyond a border that the walk does not cross. */
export async function* walk(
  pool: Pool,
  scopeRoots: readonly BytePath[],
  from: readonly BytePath[],
  { known, signal }: WalkOptions = {},
): AsyncGenerator<Page> {
  const cancel = new SharedArrayBuffer(4);
  const stack = rootWork(from);
  const ready: Page[][] = [];
  let asked = 0;
  let failure: unknown;
  let wake = (): void => {};

  const ask = (): void => {
    while (failure === undefined && asked + ready.length < pool.threads * AHEAD && stack.length > 0) {
      const work = takeBatch(stack, pool.threads).map((piece) => withKnown(piece, known));
      asked += 1;
      pool
        .ask({ kind: 'pages', work, share: true, cancel }, transferOf(work))
        .then(
          (reply) => take(work, reply),
          (error: unknown) => {
            failure = error;
          },
        )
        .finally(() => {
          asked -= 1;
          wake();
        });
    }
  };
  const take = (work: readonly Work[], { pages, records, rest }: PagesReply): void => {
    push(stack, rest);
    for (const page of pages) push(stack, workBelow(work[page.piece]?.dir ?? ROOT_DIR, page, scopeRoots));
    ready.push(pagesOf(work, pages, records));
  };
  const onAbort = (): void => wake();
  signal?.addEventListener('abort', onAbort, { once: true });

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
    signal?.removeEventListener('abort', onAbort);
    failure ??= 'stopped';
    Atomics.store(new Int32Array(cancel), 0, 1);
  }
}

/** One piece of work per directory that holds a root. */
function rootWork(roots: readonly BytePath[]): Work[] {
  const names = new Map<BytePath, BytePath[]>();
  for (const root of outermostPaths(roots)) {
    const dir = dirOf(root);
    names.set(dir, [...(names.get(dir) ?? []), nameOf(root)]);
  }
  return [...names].map(([dir, list]): Work => ({ kind: 'names', dir, names: list })).reverse();
}

/** Depth first, so that the stack stays small: the first of `work` will be taken next. */
function push(stack: Work[], work: readonly Work[]): void {
  for (let index = work.length - 1; index >= 0; index -= 1) {
    const piece = work[index];
    if (piece !== undefined) stack.push(piece);
  }
}

function workBelow(dir: BytePath, { below, foreign = [], failed }: FoundPage, scopeRoots: readonly BytePath[]): Work[] {
  const work = (below?.names ?? []).map((name, index): Work => {
    return { kind: 'list', dir: joinPath(dir, name), rule: below?.rules[index] ?? 0 };
  });
  // Behind a border that is not crossed, a rule may begin anew.
  const borders = failed === undefined ? foreign.map((name) => joinPath(dir, name)) : [dir];
  const beyond = borders.flatMap((border) => scopeRoots.filter((root) => root !== border && isWithin(root, border)));
  return beyond.length === 0 ? work : [...work, ...rootWork(beyond)];
}

/** Several directories while there are plenty; a range is work enough for one request. */
function takeBatch(stack: Work[], threads: number): Work[] {
  const wanted = Math.max(1, Math.min(BATCH, Math.floor(stack.length / (AHEAD * threads))));
  const batch: Work[] = [];
  while (batch.length < wanted) {
    const piece = stack.at(-1);
    if (piece === undefined || (piece.kind !== 'list' && batch.length > 0)) break;
    stack.pop();
    batch.push(piece);
    if (piece.kind !== 'list') break;
  }
  return batch;
}

function withKnown(piece: Work, known: WalkOptions['known']): Work {
  if (known === undefined) return piece;
  const run = piece.kind === 'range' ? known(piece.dir, piece.after, piece.upTo) : known(piece.dir);
  // A copy of its own: a Buffer may be a view into memory that belongs to others.
  return run.length === 0 ? piece : { ...piece, known: new Uint8Array(run) };
}

function transferOf(work: readonly Work[]): ArrayBuffer[] {
  return work.flatMap(({ known }) => (known === undefined ? [] : [known.buffer as ArrayBuffer]));
}
