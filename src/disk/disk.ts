// The `Disk` of engine/ports/disk.ts: pages read by worker threads.
import { availableParallelism } from 'node:os';
import { AppError } from '../domain/errors.ts';
import type { ScopeSettings } from '../domain/rule.ts';
import type { Disk } from '../engine/ports/disk.ts';
import type { EngineChoice } from './digest.ts';
import { pagesOf } from './page.ts';
import { openPool } from './pool.ts';
import { walk } from './walk.ts';
import { namesWork, packWork } from './work.ts';

export interface DiskOptions {
  readonly scope: ScopeSettings;
  /** Worker threads; by default one per processor, 8 at most. */
  readonly jobs?: number;
  /** What computes BLAKE3; by default the fastest that loads. */
  readonly engine?: EngineChoice;
}

const JOBS_MAX = 8;

/** Starts the workers at once; `close` must be called, or they keep the process alive. */
export function openDisk(options: DiskOptions): Disk {
  const jobs = options.jobs ?? Math.min(availableParallelism(), JOBS_MAX);
  const pool = openPool(jobs, { scope: options.scope, engine: options.engine ?? 'auto' });
  return {
    walk: (from, walkOptions) => walk(pool, from, walkOptions),
    read: async (dir, names) => {
      const work = [packWork(namesWork(dir, names))];
      const { pages, records } = await pool.ask({ kind: 'pages', work });
      const [page] = pagesOf(pages, records);
      if (page === undefined) throw new AppError('INTERNAL', 'internal error: no page of names');
      return page;
    },
    digestPrefix: async (path, lengthBytes) => {
      const { value, algorithm, errno } = await pool.ask({ kind: 'prefix', path, lengthBytes });
      return value === undefined ? { errno } : { algorithm, value };
    },
    close: () => pool.close(),
  };
}
