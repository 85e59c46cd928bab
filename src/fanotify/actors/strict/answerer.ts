// Entry of a process that does nothing but let programs start, once it has looked at them: a child of answering.ts. It is a
// process of its own, so that no stop and no crash of the watch makes anybody wait; it ends with the watch. It must open no
// file that is marked: not a library, not a name to look up.
import { open } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { errorMessage } from '../../../domain/errors.ts';
import { pathFromText } from '../../../domain/path.ts';
import { sendMessage } from '../../../libc/socket.ts';
import { FAN_ALLOW, FAN_MARK_INODE, FAN_OPEN_PERM } from '../../abi.ts';
import type { PermissionDecision, PermissionRequest } from '../../permission/options.ts';
import { PermissionResponder } from '../../permission/responder.ts';
import { readImage, readOwner } from '../proc.ts';
import { ALIVE_MS, type AnswererMessage, TELL_FD } from './answering.ts';
import { encodeStarted } from './started.ts';

/** ld.so(8): every dynamically linked program opens it right after execve(2), when its command line is in place. */
const LOADER_CACHE = '/etc/ld.so.cache';
/** The longest that a program waits while the thread that looks is late; a busy machine may hold it up for a while. */
const DEADLINE_MS = 500;
/** ldconfig(8) replaces the file, and the mark goes with the old inode. */
const REMARK_MS = 5_000;
const NICE = -15;

const ALLOW: PermissionDecision = { verdict: FAN_ALLOW, cache: false };

function look({ pid }: PermissionRequest): PermissionDecision {
  const image = readImage(pid);
  const owner = readOwner(pid, () => undefined);
  // `full`, `gone`: the watch is stopped, or has ended. Nobody waits for it.
  sendMessage(TELL_FD, encodeStarted(pid, { image, owner, atMs: Date.now() }), []);
  return ALLOW;
}

async function answer(): Promise<void> {
  const responder = await PermissionResponder.open({
    marks: [{ flags: FAN_MARK_INODE, mask: FAN_OPEN_PERM, path: pathFromText(LOADER_CACHE) }],
    decide: look,
    deadlineMs: DEADLINE_MS,
    onDeadline: 'allow',
    failure: 'open',
    cacheEntries: 0,
    onProblem: (problem) => {
      if (problem.kind === 'stopped') fail(problem.error);
    },
  });
  const mark = (): void => {
    try {
      responder.mark(FAN_MARK_INODE, FAN_OPEN_PERM, pathFromText(LOADER_CACHE));
    } catch {
      // Missing while ldconfig(8) renames the new one into place: the next time.
    }
  };
  const timers = [setInterval(mark, REMARK_MS), setInterval(() => void prove(), ALIVE_MS)];
  const end = (): void => {
    timers.forEach(clearInterval);
    void responder.close();
  };
  // The watch has ended, however it did; or it had ended before there was anybody to hear of it.
  process.once('disconnect', end);
  if (!process.connected) return end();
  say({ kind: 'ready' });
}

/** The open of this process is answered by the same thread as all others: when it returns, programs start. */
async function prove(): Promise<void> {
  const file = await open(LOADER_CACHE, 'r');
  await file.close();
  say({ kind: 'alive' });
}

function say(message: AnswererMessage): void {
  if (process.connected) process.send?.(message);
}

/** Without a listener, and without anything to wait for, the process ends; the kernel allows what is left. */
function fail(error: unknown): void {
  say({ kind: 'failed', message: errorMessage(error) });
  if (process.connected) process.disconnect();
}

/** Programs wait for this process. */
function hurry(): void {
  try {
    setPriority(0, NICE);
  } catch {
    // Not allowed (CAP_SYS_NICE): they wait longer on a busy machine, nothing else.
  }
}

hurry();
answer().catch(fail);
