// Limits of a run's cgroup: by the controllers of cgroup v2 where they are there, by those of v1 beside it on hybrid hosts
// (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/pids.rst, cgroup-v1/memory.rst).
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunLimits } from '../domain/settings.ts';
import { attempt } from './attempt.ts';

export interface Limited {
  /** Cgroups of v1 controllers that a run has to enter, too. */
  readonly beside: readonly string[];
  /** What the kernel refused. */
  readonly unlimited: readonly string[];
}

export const NO_LIMITS: Limited = { beside: [], unlimited: [] };

export function isLimited({ memoryBytes, tasks }: RunLimits): boolean {
  return memoryBytes !== undefined || tasks !== undefined;
}

interface Limit {
  readonly what: string;
  readonly controller: string;
  readonly value: number | undefined;
  readonly fileV2: string;
  readonly fileV1: string;
}

/** `name`: of the run's cgroup in every hierarchy; `dir`: the one of v2. */
export function limitCgroup(dir: string, name: string, { memoryBytes, tasks }: RunLimits): Limited {
  const limits: Limit[] = [
    { what: 'memory', controller: 'memory', value: memoryBytes, fileV2: 'memory.max', fileV1: 'memory.limit_in_bytes' },
    { what: 'tasks', controller: 'pids', value: tasks, fileV2: 'pids.max', fileV1: 'pids.max' },
  ];
  const [beside, unlimited]: [string[], string[]] = [[], []];
  for (const { what, controller, value, fileV2, fileV1 } of limits) {
    if (value === undefined || attempt(() => writeExisting(join(dir, fileV2), value))) continue;
    const place = besideV1(controller, name);
    const isSet =
      place !== undefined &&
      attempt(() => mkdirSync(place)) &&
      attempt(() => writeExisting(join(place, fileV1), value));
    if (isSet) beside.push(place);
    else unlimited.push(what);
  }
  // A group that may not swap is killed when it has used up its memory, and does not drag the host down.
  if (memoryBytes !== undefined) attempt(() => writeExisting(join(dir, 'memory.swap.max'), 0));
  return { beside, unlimited };
}

function writeExisting(file: string, value: number): void {
  writeFileSync(file, String(value), { flag: 'r+' });
}

/** Below our own cgroup in the hierarchy of a v1 controller. */
function besideV1(controller: string, name: string): string | undefined {
  const lines = readFileSync('/proc/self/cgroup', 'latin1').split('\n');
  const own = lines.map((line) => /^\d+:([^:]*):(.*)$/.exec(line)).find((m) => m?.[1]?.split(',').includes(controller));
  const hierarchy = join('/sys/fs/cgroup', controller);
  return own === undefined || !existsSync(join(hierarchy, 'cgroup.procs'))
    ? undefined
    : join(hierarchy, own?.[2] ?? '/', name);
}

/** What a driftline that died has left of a run's cgroup in the hierarchies of v1. */
export function removeBeside(name: string): void {
  for (const controller of ['memory', 'pids']) {
    const place = besideV1(controller, name);
    if (place !== undefined) attempt(() => rmdirSync(place));
  }
}

/** Where the daemon itself goes when its cgroup hands controllers down: only leaves may have processes then. */
const SUBGROUP = 'driftline-daemon';

/** Our cgroup, or the one above when we are in the subgroup of it. */
export function withoutSubgroup(path: string): string {
  return path.endsWith(`/${SUBGROUP}`) ? path.slice(0, -SUBGROUP.length - 1) || '/' : path;
}

/**
 * Hands memory and pids down from our cgroup (v2), for which nobody may be in it: this process goes to a subgroup, as
 * DelegateSubgroup= of systemd.exec(5) would have it. Only when nobody but this process is there.
 */
export function enableControllers(parent: string): void {
  const wanted = ['memory', 'pids'].filter((name) => wordsOf(parent, 'cgroup.controllers').includes(name));
  const missing = wanted.filter((name) => !wordsOf(parent, 'cgroup.subtree_control').includes(name));
  if (missing.length === 0) return;
  if (wordsOf(parent, 'cgroup.procs').every((pid) => pid === String(process.pid))) {
    const subgroup = join(parent, SUBGROUP);
    attempt(() => mkdirSync(subgroup, { recursive: true }));
    attempt(() => writeFileSync(join(subgroup, 'cgroup.procs'), String(process.pid)));
  }
  for (const name of missing) attempt(() => writeFileSync(join(parent, 'cgroup.subtree_control'), `+${name}`));
}

function wordsOf(dir: string, file: string): string[] {
  let text = '';
  attempt(() => {
    text = readFileSync(join(dir, file), 'latin1');
  });
  return text.split(/\s+/).filter((word) => word !== '');
}
