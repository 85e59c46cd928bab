// One command, measured from outside: wall time, processor time of all its processes, and the most memory that they had together.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE_BYTES = 4096;
const MiB = 1024 * 1024;
const EVERY_MS = 20;

/** Runs a shell line, whose output is thrown away; throws when it ends with a status that is not among `statuses`. */
export function timed({ name, line, statuses = [0] }, scratch) {
  const usage = join(scratch, 'usage');
  const { status, stderr } = spawnSync('/usr/bin/time', timeArguments(usage, line), { encoding: 'utf8' });
  if (!statuses.includes(status)) throw new Error(`${name}: exit ${status}: ${stderr.slice(-2000)}`);
  const [wall, user, system, kib] = readFileSync(usage, 'utf8').trim().split(/\s+/).map(Number);
  return { wall, cpu: user + system, rssMiB: kib / 1024 };
}

function timeArguments(usage, line) {
  return ['-q', '-o', usage, '-f', '%e %U %S %M', 'sh', '-c', `${line} >/dev/null`];
}

/** The peak of the resident memory of all processes of a line, in MiB; the looking costs time, so this run is not timed. */
export async function peakMemory({ line }) {
  const child = spawn('sh', ['-c', `${line} >/dev/null 2>&1`], { stdio: 'ignore' });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(child.pid));
  }, EVERY_MS);
  await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(timer);
  return peak / MiB;
}

function residentBytes(pid) {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const below = children === '' ? [] : children.split(' ').map(residentBytes);
    return below.reduce((sum, bytes) => sum + bytes, Number(pages) * PAGE_BYTES);
  } catch {
    // It has ended.
    return 0;
  }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
