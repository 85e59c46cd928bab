// The `Disk` of engine/ports/disk.ts: pages read by worker threads.
import { AppError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import type { ScopeSettings } from '../domain/rule.ts';
import type { Disk, Page } from '../engine/ports/disk.ts';
import type { EngineChoice } from './digest.ts';
import { growWhileCold } from './grow.ts';
import type { MeterReading } from './meter.ts';
import { setUpPace } from './pace.ts';
import { pagesOf } from './page.ts';
import { openPool, type PoolSetup } from './pool.ts';
import { defaultThreads } from './start-worker.ts';
import { walk } from './walk.ts';
import { namesWork, packWork } from './work.ts';

export interface DiskOptions {
  readonly scope: ScopeSettings;
  /** Worker threads; by default one per processor, 8 at most. `auto`: more of them while a walk waits for the disk. */
  readonly jobs?: number | 'auto' | undefined;
  /** In a process that lives long: threads that had nothing to do for so long end, all but one, and begin again when there is work. */
  readonly restMs?: number | undefined;
  /** What all threads may read together; every name counts as 4096 bytes more than its content. By default as fast as they can. */
  readonly bytesPerSecond?: number | undefined;
  /** The threads get processor and disk when nobody else wants them. */
  readonly idle?: boolean | undefined;
  /** Content that was not in the page cache before is not left there. */
  readonly dropCache?: boolean | undefined;
  /** The process ends when all is read: what its compiler takes its time for does not pay any more (brief.ts). */
  readonly isBrief?: boolean | undefined;
  /** Files that are larger have no digest; by default all have one. */
  readonly digestMaxBytes?: number | undefined;
  /** What computes BLAKE3; by default the fastest that loads. */
  readonly engine?: EngineChoice | undefined;
}

/** A good `restMs`: only who has made next to nothing for five seconds gets a smaller heap from V8 (Heap::ReduceNewSpaceSize). */
export const REST_MS = 6_000;

export interface ObservedDisk extends Disk {
  /** What each worker has read so far, and what it is at. */
  meters(): readonly MeterReading[];
}

/** Starts the workers at once; `close` must be called, or they keep the process alive. */
export function openDisk(options: DiskOptions): ObservedDisk {
  const { scope, jobs, restMs, bytesPerSecond, idle, dropCache, isBrief, digestMaxBytes, engine } = options;
  const threads = typeof jobs === 'number' ? jobs : defaultThreads();
  const setup: PoolSetup = {
    kind: 'setup',
    scope,
    engine: engine ?? 'auto',
    pace: bytesPerSecond === undefined ? undefined : setUpPace(bytesPerSecond),
    idle: idle ?? false,
    dropCache: dropCache ?? false,
    isBrief: isBrief ?? false,
    digestMaxBytes: digestMaxBytes ?? Number.POSITIVE_INFINITY,
  };
  const pool = openPool(threads, setup, restMs);
  // Whoever is told to be slow needs no more threads for it.
  const mayGrow = jobs === 'auto' && bytesPerSecond === undefined && idle !== true;
  return {
    walk: (from, walkOptions) => walk(pool, from, walkOptions, mayGrow ? growWhileCold : undefined),
    read: async (dir, names, contentMaxBytes, appended) => {
      const work = [packWork(namesWork(dir, names))];
      const limit = contentMaxBytes === undefined ? {} : { contentMaxBytes };
      const { pages, records, postponed } = await pool.ask({ kind: 'pages', work, ...limit, appended });
      const [page] = pagesOf(pages, records);
      if (page === undefined) throw new AppError('INTERNAL', 'internal error: no page of names');
      return postponed.length === 0 ? page : without(page, names, new Set(postponed));
    },
    digestPrefix: async (path, lengthBytes) => {
      const { value, algorithm, errno } = await pool.ask({ kind: 'prefix', path, lengthBytes });
      return value === undefined ? { errno } : { algorithm, value };
    },
    meters: () => pool.meters(),
    close: () => pool.close(),
  };
}

/** The page does not speak of names that were not read. */
function without(page: Page, names: readonly BytePath[], postponed: ReadonlySet<BytePath>): Page {
  const spokenOf = names.filter((name) => !postponed.has(name));
  return { ...page, extent: { kind: 'names', names: spokenOf }, postponed: [...postponed] };
}
