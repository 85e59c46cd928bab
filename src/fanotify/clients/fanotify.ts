// A group shared by any number of clients, in this process and in others.

import { lstatSync, unlinkSync } from 'node:fs';
import { MessageChannel, Worker } from 'node:worker_threads';
import { builtFile } from '../../domain/built-file.ts';
import { AppError, errorCode, errorMessage } from '../../domain/errors.ts';
import type { BytePath } from '../../domain/path.ts';
import { closeFd } from '../../libc/handle.ts';
import { openEventFd, wakeEventFd } from '../../libc/poll.ts';
import { connectTo, listenAt } from '../../libc/socket.ts';
import * as abi from '../abi.ts';
import { FanotifyGroup } from '../group.ts';
import { type ClientOptions, FanotifyClient } from './client.ts';
import { Mailbox } from './mailbox.ts';
import type { DispatcherMessage, DispatcherSettings, IgnoredOwn, MainMessage } from './messages.ts';
import { CAPACITY_MAX, isCapacity } from './protocol.ts';
import { type FanoRule, plainRule } from './rules.ts';
import { decodeItems } from './wire.ts';

export interface FanotifyOptions {
  /** fanotify_init(2) flags; default FAN_REPORT_DFID_NAME_TARGET: names for creates, deletes and renames too, and no descriptors. */
  readonly flags?: number;
  /** open(2) flags of the descriptors in events, in a group without file ids. */
  readonly eventFlags?: number;
  /**
   * Whose own events are left out. Default `process`: what this process does itself. Of `descendants` those are seen that
   * had ended before it could be learnt whose children they are.
   */
  readonly ignoreOwn?: IgnoredOwn;
}

/** What a mark is on, and how; kept for each path of a list. */
export interface MarkOptions {
  /** Default `inode`: the object itself, with FAN_EVENT_ON_CHILD in the mask also a directory's entries. */
  readonly on?: 'inode' | 'mount' | 'filesystem';
  /** Further FAN_MARK_* flags: FAN_MARK_ONLYDIR, FAN_MARK_DONT_FOLLOW, FAN_MARK_IGNORE_SURV, FAN_MARK_EVICTABLE. */
  readonly flags?: number;
  /** Relative paths start at this directory's descriptor. */
  readonly dirFd?: number;
}

export interface ListenOptions {
  /** Users who may connect; default this process's. Their rules see every event of the group. */
  readonly uids?: readonly number[];
  /** Groups (the primary one of who connects) that may connect. */
  readonly gids?: readonly number[];
  /** Connections at a time; default 64. */
  readonly clients?: number;
}

const ON = { inode: abi.FAN_MARK_INODE, mount: abi.FAN_MARK_MOUNT, filesystem: abi.FAN_MARK_FILESYSTEM } as const;
const CAPACITY = 16_384;
const CLIENTS = 64;

/** Owns a group and the thread that reads it. Marks are set and clients come and go at any time. */
export class Fanotify {
  readonly #group: FanotifyGroup;
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #channel = new MessageChannel();
  readonly #mailboxes = new Map<number, Mailbox>();
  readonly #sockets: string[] = [];
  readonly #exited: Promise<void>;
  #ids = 0;
  #isOver = false;
  #failure: AppError | undefined;

  /**
   * Opens the group and starts to read it, on a thread with raised priority (nice -15) where that is allowed. Throws SystemError of fanotify_init(2): EPERM, EINVAL, EMFILE.
   */
  static async open(options: FanotifyOptions = {}): Promise<Fanotify> {
    const { flags = abi.FAN_REPORT_DFID_NAME_TARGET, eventFlags, ignoreOwn = 'process' } = options;
    const group = FanotifyGroup.open({ flags, ...(eventFlags === undefined ? {} : { eventFlags }) });
    const fanotify = new Fanotify(group, ignoreOwn);
    await fanotify.#started();
    return fanotify;
  }

  private constructor(group: FanotifyGroup, ignoreOwn: IgnoredOwn) {
    this.#group = group;
    this.#wakeFd = openEventFd();
    const port = this.#channel.port2;
    const workerData: DispatcherSettings = { groupFd: group.fd, wakeFd: this.#wakeFd, port, ignoreOwn };
    const url = builtFile('fanotify/clients/dispatcher-thread');
    this.#worker = new Worker(url, { workerData, transferList: [port], execArgv: [] });
    this.#worker.on('error', (error) => {
      this.#failure = new AppError('INTERNAL', `the reading thread failed: ${errorMessage(error)}`, { cause: error });
    });
    this.#worker.on('message', (message: DispatcherMessage) => this.#take(message));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#isOver = true;
        closeFd(this.#wakeFd);
        this.#channel.port1.close();
        this.#group.close();
        for (const mailbox of this.#mailboxes.values()) mailbox.end(this.#failure);
        resolve();
      });
    });
  }

  async #started(): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#worker.on('message', ({ kind }: DispatcherMessage) => {
        if (kind === 'ready') resolve();
      });
    });
    await Promise.race([ready, this.#exited]);
    if (this.#isOver) throw this.#failure ?? new AppError('INTERNAL', 'the reading thread ended by itself');
  }

  #take(message: DispatcherMessage): void {
    if (message.kind === 'failed') this.#failure = new AppError('IO', message.message);
    if (message.kind !== 'items') return;
    const items = decodeItems(Buffer.from(message.bytes));
    const mailbox = this.#mailboxes.get(message.id);
    // Disconnected meanwhile: nobody else would close the descriptors.
    (mailbox ?? closedMailbox()).push(items);
  }

  #tell(message: MainMessage): void {
    if (this.#isOver) return;
    this.#channel.port1.postMessage(message);
    wakeEventFd(this.#wakeFd);
  }

  /**
   * fanotify_mark(2) for each path, with the same options. Throws the SystemError of the first path that fails, with its
   * errno, path and hint; marks of paths before it stay.
   */
  mark(paths: BytePath | Iterable<BytePath>, evTypes: number, options: MarkOptions = {}): void {
    for (const path of each(paths)) {
      // Told before: an event of this filesystem may be read at once.
      if (options.dirFd === undefined) this.#tell({ kind: 'filesystem', path });
      this.#group.mark(flagsOf(options), evTypes, path, options.dirFd);
    }
  }

  /** Takes event types away again; throws as `mark`, ENOENT when there is no mark. */
  unmark(paths: BytePath | Iterable<BytePath>, evTypes: number, options: MarkOptions = {}): void {
    for (const path of each(paths)) this.#group.unmark(flagsOf(options), evTypes, path, options.dirFd);
  }

  /** Removes all marks of the given kinds; default all. */
  flush(kinds: readonly (keyof typeof ON)[] = ['inode', 'mount', 'filesystem']): void {
    for (const kind of kinds) this.#group.flush(ON[kind]);
  }

  /**
   * A client of this process. What happens from now on and fits the rule comes out of it. Clients leave marks alone, also
   * the last one that goes. Throws AppError USAGE for a rule that cannot be.
   */
  connect(rule: FanoRule, options: ClientOptions = {}): FanotifyClient {
    const { capacity = CAPACITY } = options;
    if (!isCapacity(capacity)) throw new AppError('USAGE', `capacity is a number from 1 to ${CAPACITY_MAX}`);
    const plain = plainRule(rule);
    this.#ids += 1;
    const id = this.#ids;
    const mailbox = new Mailbox((count) => this.#tell({ kind: 'taken', id, count }));
    const close = (): Promise<void> => {
      if (this.#mailboxes.delete(id)) this.#tell({ kind: 'disconnect', id });
      return Promise.resolve();
    };
    if (this.#isOver) mailbox.end(this.#failure);
    else this.#mailboxes.set(id, mailbox);
    this.#tell({ kind: 'connect', id, rule: plain, capacity });
    return new FanotifyClient(rule, { mailbox, close });
  }

  /**
   * Lets other processes connect with `FanotifyClient.connect`. `address`: a path (made with the process's umask, and
   * removed by `stop`), or `@name` in the abstract namespace, which has no file permissions; either way SO_PEERCRED of who
   * connects is checked. A path at which nobody listens any more is taken over. Throws SystemError: EADDRINUSE, EACCES.
   */
  listen(address: string, options: ListenOptions = {}): void {
    const { uids = [process.getuid?.() ?? 0], gids = [], clients = CLIENTS } = options;
    if (this.#isOver) throw this.#failure ?? new AppError('USAGE', 'this Fanotify was stopped');
    const fd = listenAtFree(address);
    this.#sockets.push(address);
    this.#tell({ kind: 'listen', fd, access: { uids, gids, clients } });
  }

  /** Gives clients what was read before, ends their streams, and closes the group. Idempotent. */
  async stop(): Promise<void> {
    this.#tell({ kind: 'stop' });
    await this.#exited;
    for (const address of this.#sockets.splice(0)) if (!address.startsWith('@')) removeSocket(address);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function each(paths: BytePath | Iterable<BytePath>): Iterable<BytePath> {
  return typeof paths === 'string' ? [paths] : paths;
}

function flagsOf({ on = 'inode', flags = 0 }: MarkOptions): number {
  return ON[on] | flags;
}

function closedMailbox(): Mailbox {
  const mailbox = new Mailbox(() => undefined);
  mailbox.close();
  return mailbox;
}

/** A socket of a process that was killed is still there, and answers ECONNREFUSED. */
function listenAtFree(address: string): number {
  try {
    return listenAt(address);
  } catch (error) {
    if (errorCode(error) !== 'EADDRINUSE' || address.startsWith('@') || !isAbandoned(address)) throw error;
    removeSocket(address);
    return listenAt(address);
  }
}

function isAbandoned(address: string): boolean {
  try {
    closeFd(connectTo(address));
    return false;
  } catch (error) {
    return errorCode(error) === 'ECONNREFUSED';
  }
}

function removeSocket(address: string): void {
  if (lstatSync(address, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(address);
}
