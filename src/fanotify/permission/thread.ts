// The responder's group and its thread: what PermissionResponder owns, opened together or not at all.

import { Worker } from 'node:worker_threads';
import { builtFile } from '../../domain/built-file.ts';
import { SystemError } from '../../domain/errors.ts';
import { closeFd } from '../../libc/handle.ts';
import { openEventFd } from '../../libc/poll.ts';
import {
  FAN_CLASS_CONTENT,
  FAN_CLASS_PRE_CONTENT,
  FAN_ENABLE_AUDIT,
  FAN_REPORT_FD_ERROR,
  FAN_UNLIMITED_QUEUE,
  O_CLOEXEC,
  O_LARGEFILE,
  O_NONBLOCK,
  O_RDONLY,
} from '../abi.ts';
import { FanotifyGroup } from '../group.ts';
import { CONTROL_BYTES, COUNTS } from './messages.ts';
import { type PermissionOptions, settingsOf } from './options.ts';

/** Whoever holds a lease (fcntl(2)) or, on older kernels, reads a FIFO must not make the thread wait: O_NONBLOCK. */
const EVENT_FLAGS = O_RDONLY | O_NONBLOCK | O_LARGEFILE | O_CLOEXEC;

export interface ResponderThread {
  readonly group: FanotifyGroup;
  readonly wakeFd: number;
  readonly control: Int32Array;
  readonly counts: BigInt64Array;
  readonly worker: Worker;
}

/** The thread answers nothing before its message `ready`: no marks until then. Throws SystemError, AppError USAGE. */
export function startResponderThread(options: PermissionOptions): ResponderThread {
  const settings = settingsOf(options);
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const counts = new SharedArrayBuffer(COUNTS.length * BigInt64Array.BYTES_PER_ELEMENT);
  const group = openGroup(options);
  let wakeFd = -1;
  try {
    wakeFd = openEventFd();
    const workerData = { ...settings, groupFd: group.fd, wakeFd, control, counts };
    const worker = new Worker(builtFile('fanotify/permission/worker'), { workerData, execArgv: [] });
    return { group, wakeFd, control: new Int32Array(control), counts: new BigInt64Array(counts), worker };
  } catch (error) {
    group.close();
    if (wakeFd !== -1) closeFd(wakeFd);
    throw error;
  }
}

function openGroup({ preContent = false, audit = 'none' }: PermissionOptions): FanotifyGroup {
  // A group of its own with an unlimited queue: on a full queue the kernel allows without asking.
  const flags =
    (preContent ? FAN_CLASS_PRE_CONTENT : FAN_CLASS_CONTENT) |
    FAN_UNLIMITED_QUEUE |
    (audit === 'none' ? 0 : FAN_ENABLE_AUDIT);
  try {
    return FanotifyGroup.open({ flags: flags | FAN_REPORT_FD_ERROR, eventFlags: EVENT_FLAGS });
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EINVAL') throw error;
    // Before Linux 6.13 the event of an object that cannot be opened is denied and dropped without a word.
    return FanotifyGroup.open({ flags, eventFlags: EVENT_FLAGS });
  }
}
