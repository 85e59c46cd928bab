// What a client is given.
import type { BytePath } from '../../domain/path.ts';

/** One event that a rule let through. What could not be learnt is undefined, never empty or invented. */
export interface FanotifyData {
  readonly kind: 'event';
  /** The object, opened for reading: the client's to close. -1 without `passFd`, and in a group with file ids. */
  readonly fd: number;
  /** 0 when the process is outside the reader's pid namespace. */
  readonly pid: number;
  /** FAN_* bits; the kernel merges what one process does to one object. */
  readonly evTypes: number;
  /**
   * The program, also of a process that has ended. Executions and other events come through two queues: when a process
   * executes another program between an event and its being read, this is that other one.
   */
  readonly exe: BytePath | undefined;
  readonly cwd: BytePath | undefined;
  /** The object's present path, after a rename the new one; of what was removed the path that it had. */
  readonly path: BytePath | undefined;
  /** Of a rename (FAN_RENAME) only: where it was. */
  readonly oldPath: BytePath | undefined;
  /** The real user id. */
  readonly uid: number | undefined;
  /** The name of the process, latin1, at most 15 bytes. */
  readonly comm: string | undefined;
  /** cgroups(7): its path, latin1. */
  readonly cgroup: string | undefined;
}

/** Events are missing here, before all items that follow. */
export interface FanotifyLoss {
  readonly kind: 'overflow';
  /**
   * `kernel`: the queue of the group was full (FAN_Q_OVERFLOW); every client is told, whatever its rule. `client`: this
   * client took its items too slowly. `connection`: it was not connected for a while.
   */
  readonly where: 'kernel' | 'client' | 'connection';
  /** How many items; undefined where nobody counted. */
  readonly lost: number | undefined;
}

export type FanotifyItem = FanotifyData | FanotifyLoss;
