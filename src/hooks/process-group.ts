// Signals to all processes of a group (kill(2) with a negative pid).
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../domain/errors.ts';

const GONE_WITHIN_MS = 2_000;

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

/**
 * SIGKILL to every process with this variable, wherever it is: who called setsid(2) has left the group, and inherited the
 * environment all the same. False when one is still there after two seconds. One that has cleared its environment is not
 * found; where there is a cgroup it need not be.
 */
export async function killMarked(variable: string): Promise<boolean> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  // Twice nothing: who forked while the list was read is in the next one.
  for (let nothing = 0; nothing < 2; ) {
    const marked = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isMarked(name, variable));
    nothing = marked.length === 0 ? nothing + 1 : 0;
    if (performance.now() > deadline) return false;
    for (const pid of marked) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch (error) {
        if (errorCode(error) !== 'ESRCH' && errorCode(error) !== 'EPERM') throw error;
      }
    }
    if (marked.length > 0) await sleep(1);
  }
  return true;
}

/** proc_pid_environ(5): empty of a zombie. */
function isMarked(pid: string, variable: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(variable);
  } catch (error) {
    // Gone, or somebody else's.
    if (errorCode(error) === undefined) throw error;
    return false;
  }
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
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isLivingMember(name, leader));
}

function isLivingMember(pid: string, leader: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // proc(5): pid (comm) state ppid pgrp ...; comm may contain anything.
    const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(group) === leader && !'ZX'.includes(state);
  } catch (error) {
    // Gone since it was listed.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}
