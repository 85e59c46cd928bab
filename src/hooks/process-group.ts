// Signals to all processes of a group (kill(2) with a negative pid).
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../domain/errors.ts';
import { processIds, processStatus } from './process-status.ts';

/** What was killed and is still there after this is reported. */
export const GONE_WITHIN_MS = 2_000;

/** Does nothing when the group has no process any more; `leader` undefined: it never started. */
export function killGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader !== undefined) signalGroup(leader, signal);
}

/** Waits until nothing of the group runs any more; false when something still does after two seconds. */
export async function waitForGroup(leader: number | undefined): Promise<boolean> {
  if (leader === undefined) return true;
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (let waitMs = 1; signalGroup(leader, 0) && hasLivingMember(leader); waitMs = Math.min(50, waitMs * 2)) {
    if (performance.now() > deadline) return false;
    await sleep(waitMs);
  }
  return true;
}

function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    // EPERM: all that is left changed its user; it is there, and out of reach without a cgroup.
    if (errorCode(error) === 'EPERM') return true;
    throw error;
  }
}

/** kill(2) also counts zombies, which the first process of some containers reaps late or never. */
function hasLivingMember(leader: number): boolean {
  return processIds().some((pid) => {
    const status = processStatus(pid);
    return status?.group === leader && status.isLiving;
  });
}
