// Processes that are known by a variable of their environment.
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../domain/errors.ts';
import { GONE_WITHIN_MS } from './process-group.ts';
import { environmentOf, processIds, processStatus } from './process-status.ts';

/** No execve(2) of ours takes longer; that of a stranger who waits for a disk may. */
const CLEAR_WITHIN_MS = 200;

/**
 * SIGKILL to every process with this variable, wherever it is: who called setsid(2) has left the group, and inherited the
 * environment all the same. False when one is still there after two seconds. One that has cleared its environment is not
 * found; where there is a cgroup it need not be.
 */
export async function killMarked(variable: string): Promise<boolean> {
  const startMs = performance.now();
  /** When each of them began. */
  const killed = new Map<number, string | undefined>();
  // Twice nothing: who forked while the list was read is in the next one.
  for (let nothing = 0; nothing < 2; ) {
    const { marked, unclear } = look(variable);
    for (const pid of marked) {
      killed.set(pid, processStatus(pid)?.started);
      kill(pid);
    }
    const isDying = [...killed].some(([pid, started]) => isLiving(pid, started));
    const ms = performance.now() - startMs;
    if ((marked.length > 0 || isDying) && ms > GONE_WITHIN_MS) return false;
    const isOver = marked.length === 0 && !isDying && (unclear === 0 || ms > CLEAR_WITHIN_MS);
    nothing = isOver ? nothing + 1 : 0;
    if (!isOver) await sleep(1);
  }
  return true;
}

function isLiving(pid: number, started: string | undefined): boolean {
  const status = processStatus(pid);
  return status?.isLiving === true && status.started === started;
}

/** Who is within execve(2) shows no environment: nobody can say yet what it is. */
function look(variable: string): { marked: number[]; unclear: number } {
  const marked: number[] = [];
  let unclear = 0;
  for (const pid of processIds()) {
    const environment = environmentOf(pid);
    if (environment?.includes(variable)) marked.push(pid);
    else if (environment?.length === 0 && processStatus(pid)?.hasEnvironment) unclear += 1;
  }
  return { marked, unclear };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH' && errorCode(error) !== 'EPERM') throw error;
  }
}
