// How many threads a walk needs depends on where its files are: in memory as many as there are processors, on a disk more, so that
// it has several requests at a time (a cold /usr: 23 s with two threads, 15 s with eight, and no gain beyond).
import { availableParallelism } from 'node:os';
import type { Pool } from './pool.ts';

const EVERY_MS = 200;
/** What is judged is the time of so many looks, all with the same threads: one alone may show nothing but threads that begin. */
const LOOKS = 3;
const THREADS_MAX = 16;
const PER_PROCESSOR = 4;
/** Less than this from the disk in that time, or than this share of all content, is no reason. */
const READ_MIN_BYTES = 3 * 1024 * 1024;
const COLD_SHARE = 0.2;
/** Processors that were idle for more than the rest of the time could do more. */
const BUSY_MAX = 0.75;
/** ru_inblock of getrusage(2) counts these. */
const BLOCK_BYTES = 512;
const US_PER_MS = 1000;

/** Gives the pool more threads when those that it has wait for the disk; returns what ends that. */
export function growWhileCold(pool: Pool): () => void {
  const timer = setInterval(watchDisk(pool), EVERY_MS);
  return () => clearInterval(timer);
}

function watchDisk(pool: Pool): () => void {
  const processors = availableParallelism();
  const most = Math.min(THREADS_MAX, processors * PER_PROCESSOR);
  let looks = [usage(pool)];
  return () => {
    const now = usage(pool);
    looks.push(now);
    const [before] = looks.splice(0, looks.length - LOOKS);
    if (before === undefined || !isWaiting(before, now, Math.min(processors, pool.size()))) return;
    pool.grow(Math.min(pool.size(), most - pool.size()));
    looks = [now];
  };
}

/** Whether what was read came from the disk, and `processors` had time to spare for more of it. */
function isWaiting(before: Usage, now: Usage, processors: number): boolean {
  const contentBytes = now.contentBytes - before.contentBytes;
  const isCold = now.readBytes - before.readBytes >= Math.max(READ_MIN_BYTES, COLD_SHARE * contentBytes);
  const busy = (now.cpuMs - before.cpuMs) / ((now.wallMs - before.wallMs) * processors);
  return isCold && busy < BUSY_MAX;
}

type Usage = ReturnType<typeof usage>;

function usage(pool: Pool) {
  const { userCPUTime, systemCPUTime, fsRead } = process.resourceUsage();
  const cpuMs = (userCPUTime + systemCPUTime) / US_PER_MS;
  const contentBytes = pool.meters().reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  return { cpuMs, contentBytes, readBytes: fsRead * BLOCK_BYTES, wallMs: performance.now() };
}
