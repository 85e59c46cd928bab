// One cgroup per run, so that nothing that a hook starts can outlive it: setsid(2) leaves a process group, not a cgroup
// (reference: cgroups(7), Documentation/admin-guide/cgroup-v2.rst, cgroup.kill since Linux 5.14).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunLimits } from '../domain/settings.ts';
import { attempt } from './attempt.ts';
import {
  enableControllers,
  isLimited,
  type Limited,
  limitCgroup,
  NO_LIMITS,
  removeBeside,
  withoutSubgroup,
} from './cgroup-limits.ts';

/** Where cgroup2 is mounted on pure and on hybrid hosts. */
const HIERARCHIES = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
const PREFIX = 'driftline-hook';
/** How long killed processes may take to leave: they die at once unless they hang in the kernel (D state). */
const EMPTY_WITHIN_MS = 2_000;

/** Of this process, whoever opens cgroups: a name is never given twice. */
let sequence = 0;

export interface RunCgroup {
  /** As it appears in proc_pid_cgroup(5), the last component. */
  readonly name: string;
  /** The files to which a process writes its pid to enter. */
  readonly procs: readonly string[];
  /** What of the limits the kernel refused. */
  readonly unlimited: readonly string[];
  /** SIGKILL to everything inside, however deep and however fast it forks. */
  kill(): void;
  /** Waits until it is empty and removes it; false when something in it does not die. */
  remove(): Promise<boolean>;
}

export interface RunCgroups {
  /** A new, empty cgroup; undefined when the kernel refuses one now. */
  create(limits?: RunLimits): RunCgroup | undefined;
}

/**
 * A place for cgroups below our own, or undefined when there is no writable cgroup v2 hierarchy. Kills and removes what
 * a driftline that crashed has left there, so that a hook never runs beside its own retry.
 */
export function openCgroups(hierarchies: readonly string[] = HIERARCHIES): RunCgroups | undefined {
  const parent = hierarchies.map(ownCgroup).find((dir) => dir !== undefined && isUsable(dir));
  if (parent === undefined) return undefined;
  removeLeftovers(parent);
  return {
    create(limits) {
      sequence += 1;
      const name = `${PREFIX}.${process.pid}.${sequence}`;
      const dir = join(parent, name);
      if (limits !== undefined && isLimited(limits)) enableControllers(parent);
      if (!attempt(() => mkdirSync(dir))) return undefined;
      return runCgroup(dir, limits === undefined ? NO_LIMITS : limitCgroup(dir, name, limits));
    },
  };
}

function runCgroup(dir: string, { beside, unlimited }: Limited = NO_LIMITS): RunCgroup {
  return {
    name: basename(dir),
    procs: [dir, ...beside].map((place) => join(place, 'cgroup.procs')),
    unlimited,
    kill: () => {
      attempt(() => writeFileSync(join(dir, 'cgroup.kill'), '1'));
    },
    async remove() {
      const deadline = performance.now() + EMPTY_WITHIN_MS;
      for (let waitMs = 1; !removeTree(dir); waitMs = Math.min(50, waitMs * 2)) {
        if (performance.now() > deadline) return false;
        await sleep(waitMs);
      }
      for (const place of beside) attempt(() => rmdirSync(place));
      return true;
    },
  };
}

/** Our cgroup's directory: the line `0::/path` of /proc/self/cgroup, below the hierarchy's mount. */
function ownCgroup(hierarchy: string): string | undefined {
  if (!existsSync(join(hierarchy, 'cgroup.controllers'))) return undefined;
  const path = /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'latin1'))?.[1];
  return path === undefined ? undefined : join(hierarchy, withoutSubgroup(path));
}

function isUsable(parent: string): boolean {
  const probe = join(parent, `${PREFIX}.${process.pid}.0`);
  if (!attempt(() => mkdirSync(probe))) return false;
  const usable = existsSync(join(probe, 'cgroup.kill'));
  return attempt(() => rmdirSync(probe)) && usable;
}

function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, pid, number] = /^driftline-hook\.(\d+)\.(\d+)$/.exec(name) ?? [];
    if (pid === undefined || !isLeft(pid, Number(number))) continue;
    const left = runCgroup(join(parent, name));
    left.kill();
    left.remove().then(
      () => removeBeside(name),
      () => undefined,
    );
  }
}

/** In a container each driftline may get the pid of the one before: what it has not named itself is left, and never named again. */
function isLeft(pid: string, number: number): boolean {
  if (pid !== String(process.pid)) return !existsSync(`/proc/${pid}`);
  if (number <= sequence) return false;
  sequence = number;
  return true;
}

/** rmdir(2) of the cgroup and of those that the hook itself made in it; false while one is populated. */
function removeTree(dir: string): boolean {
  if (attempt(() => rmdirSync(dir))) return true;
  if (!existsSync(dir)) return true;
  const inner = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return inner.every((entry) => removeTree(join(dir, entry.name))) && attempt(() => rmdirSync(dir));
}
