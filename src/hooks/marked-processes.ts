// Processes that are known by a variable of their environment.
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../domain/errors.ts';
import { GONE_WITHIN_MS } from './process-group.ts';
import { environmentOf, processIds, processStatus } from './process-status.ts';

/**
 * SIGKILL to every process with this variable, wherever it is: who called setsid(2) has left the group, and inherited the
 * environment all the same. False when one is still there after two seconds. One that has cleared its environment is not
 * found; where there is a cgroup it need not be.
 */
export async function killMarked(variable: string): Promise<boolean> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  const killed = new Set<number>();
  // Twice nothing: who forked while the list was read is in the next one.
  for (let nothing = 0; nothing < 2; ) {
    const { marked, unclear } = look(variable);
    for (const pid of marked) kill(pid);
    for (const pid of marked) killed.add(pid);
    const isOver = marked.length + unclear === 0 && ![...killed].some((pid) => processStatus(pid)?.isLiving);
    nothing = isOver ? nothing + 1 : 0;
    if (isOver) continue;
    if (performance.now() > deadline) return false;
    await sleep(1);
  }
  return true;
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
