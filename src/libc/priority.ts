// How much a thread matters to the scheduler of the processor and to that of the disk.
import { readdirSync } from 'node:fs';
import { checked, declare } from './native.ts';

const setpriority = declare<(which: number, who: number, priority: number) => number>(
  'int setpriority(int which, int who, int priority)',
);
const ioprio = declare<(number: number, which: number, who: number, priority: number) => number>(
  'long syscall(long number, int which, int who, int priority)',
);

/** ioprio_set(2) has no wrapper in the C library; asm/unistd.h. */
const SYS_IOPRIO_SET: Readonly<Record<string, number>> = { x64: 251, arm64: 30 };

/** sys/resource.h; on Linux a thread has a nice value of its own, against POSIX (setpriority(2), "C library/kernel differences"). */
const PRIO_PROCESS = 0;
const NICE_MAX = 19;

/** linux/ioprio.h: the class in the upper three of 16 bits. */
const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_CLASS_IDLE = 3 << 13;

/** The calling thread, for both calls. */
const SELF = 0;

/**
 * From now on the calling thread, and what it starts, gets the processor last (nice 19) and the disk when nobody else wants it
 * (the idle class of ioprio_set(2), which the schedulers bfq and mq-deadline know and others ignore). Needs no privilege; the way
 * back does. Throws SystemError.
 */
export function becomeIdle(): void {
  idleThread(SELF);
}

/** The same for every thread that the process has: those that collect garbage and compile were there before. */
export function becomeIdleProcess(): void {
  for (const tid of readdirSync('/proc/self/task')) idleThread(Number(tid));
}

function idleThread(tid: number): void {
  checked(setpriority(PRIO_PROCESS, tid, NICE_MAX), 'setpriority');
  const number = SYS_IOPRIO_SET[process.arch];
  if (number !== undefined) checked(ioprio(number, IOPRIO_WHO_PROCESS, tid, IOPRIO_CLASS_IDLE), 'ioprio_set');
}
