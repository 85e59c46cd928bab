// What proc(5) says of processes.
import { readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../domain/errors.ts';

export interface ProcessStatus {
  /** When it began: a process id may be given to another one. */
  readonly started: string;
  readonly group: number;
  /** Neither a zombie nor dead. */
  readonly isLiving: boolean;
  /** It has an environment, or is about to: between its old program and its new one, execve(2) has given it none yet. */
  readonly hasEnvironment: boolean;
}

const PF_EXITING = 0x4;
const PF_KTHREAD = 0x0020_0000;
/** proc_pid_stat(5) counts fields from one; the third is the first after the name. */
const FIRST = 3;

export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Undefined: gone. */
export function processStatus(pid: number): ProcessStatus | undefined {
  const stat = readOfProcess(pid, 'stat', GONE);
  if (stat === undefined) return undefined;
  // pid (comm) state ppid pgrp ...; comm may contain anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): string => fields[number - FIRST] ?? '';
  const isLiving = !'ZX'.includes(field(3));
  const hasProgram = (Number(field(9)) & (PF_EXITING | PF_KTHREAD)) === 0;
  // Where it begins and ends; both are zero within execve(2).
  const isCleared = field(50) === field(51) && field(50) !== '0';
  return {
    started: field(22),
    group: Number(field(5)),
    isLiving,
    hasEnvironment: isLiving && hasProgram && !isCleared,
  };
}

/** `name=value` of each variable; empty of a zombie, of a kernel thread and within execve(2); undefined: gone, or somebody else's. */
export function environmentOf(pid: number): readonly string[] | undefined {
  const environ = readOfProcess(pid, 'environ', UNREADABLE);
  if (environ === undefined) return undefined;
  return environ === '' ? [] : environ.split('\0');
}

const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH']);
const UNREADABLE: ReadonlySet<string> = new Set([...GONE, 'EACCES', 'EPERM', 'EIO']);

function readOfProcess(pid: number, file: 'stat' | 'environ', none: ReadonlySet<string>): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (!none.has(errorCode(error) ?? '')) throw error;
    return undefined;
  }
}
