// The shared reader: one thread that empties the group's queue, finds out where and who, and hands every client its share.
import { closeSync, openSync } from 'node:fs';
import { receiveMessageOnPort } from 'node:worker_threads';
import { errorCode, SystemError } from '../../domain/errors.ts';
import { duplicateFd } from '../../libc/descriptor.ts';
import { POLLIN, POLLPRI, pollOnce } from '../../libc/poll.ts';
import { readAvailable } from '../../libc/read.ts';
import { ActorMap } from '../actors/actor-map.ts';
import { decodeEvents, type FanotifyEvent } from '../decode.ts';
import { closeEvent } from '../event-fds.ts';
import { type EventPaths, type FileIdPaths, pathsOfEvent } from '../event-paths.ts';
import { ClientQueue } from './client-queue.ts';
import type { FanotifyData } from './data.ts';
import { MarkedFilesystems, MOUNTINFO } from './marked-filesystems.ts';
import type { DispatcherMessage, DispatcherSettings, MainMessage } from './messages.ts';
import { LocalOutlet, type Outlet } from './outlet.ts';
import { type Candidate, compileRule } from './rules.ts';
import { SocketServer } from './socket-server.ts';

/** The longest that a process which exits without `stop` waits for this thread. */
const POLL_MS = 200;
const BUFFER_BYTES = 256 * 1024;
/** Buffers read before clients get their turn. */
const READS_MAX = 4;
const REFRESH_MS = 5_000;

const NOBODY = { exe: undefined, cwd: undefined, uid: undefined, comm: undefined, cgroup: undefined } as const;

/** Without CAP_SYS_ADMIN the kernel tells no pid either (fanotify(7)), so that there is nobody to look up. */
function openActors(): ActorMap | undefined {
  try {
    return ActorMap.open();
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EPERM') return undefined;
    throw error;
  }
}

/** Owns everything that the thread opens; the group is the main thread's. */
export class Dispatcher {
  readonly #settings: DispatcherSettings;
  readonly #post: (message: DispatcherMessage) => void;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #wakeBuffer = Buffer.alloc(8);
  readonly #mountinfoFd = openSync(MOUNTINFO, 'r');
  readonly #filesystems = new MarkedFilesystems();
  readonly #actors = openActors();
  readonly #locals = new Map<number, LocalOutlet>();
  readonly #sockets = new SocketServer();
  #refreshedMs = Date.now();
  #isStopping = false;

  /** Throws SystemError. */
  constructor(settings: DispatcherSettings, post: (message: DispatcherMessage) => void) {
    this.#settings = settings;
    this.#post = post;
  }

  /** Returns once it is told to stop; everything is closed then, and clients have what was read before. */
  run(): void {
    this.#post({ kind: 'ready' });
    try {
      while (!this.#isStopping) this.#turn();
      for (const local of this.#locals.values()) local.finish();
    } finally {
      this.#sockets.close();
      for (const local of this.#locals.values()) local.close();
      this.#actors?.close();
      closeSync(this.#mountinfoFd);
    }
  }

  #turn(): void {
    const { wakeFd, groupFd } = this.#settings;
    const fixed = [
      { fd: wakeFd, events: POLLIN },
      { fd: this.#mountinfoFd, events: POLLPRI },
      { fd: this.#actors?.fd ?? -1, events: POLLIN },
      { fd: groupFd, events: POLLIN },
    ];
    const [wake, mountinfo, execs, group, ...sockets] = pollOnce([...fixed, ...this.#sockets.entries()], POLL_MS);
    const nowMs = Date.now();
    if (wake !== 0) readAvailable(wakeFd, this.#wakeBuffer);
    this.#takeMessages();
    if (mountinfo !== 0 || nowMs - this.#refreshedMs > REFRESH_MS) this.#refresh(nowMs);
    if (execs !== 0) this.#actors?.update();
    this.#sockets.serve(sockets, nowMs);
    if (group !== 0) this.#drain();
    this.#flush();
  }

  #takeMessages(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#settings.port);
      if (received === undefined) return;
      this.#take(received.message as MainMessage);
    }
  }

  #take(message: MainMessage): void {
    switch (message.kind) {
      case 'connect': {
        const rule = { matches: compileRule(message.rule), passFd: message.rule.passFd };
        const queue = new ClientQueue(message.capacity);
        this.#locals.set(message.id, new LocalOutlet(message.id, rule, queue, this.#post));
        return;
      }
      case 'taken':
        this.#locals.get(message.id)?.taken(message.count);
        return;
      case 'disconnect':
        this.#locals.get(message.id)?.close();
        this.#locals.delete(message.id);
        return;
      case 'filesystem':
        this.#filesystems.add(message.path);
        return;
      case 'listen':
        this.#sockets.listen(message.fd, message.access);
        return;
      case 'stop':
        this.#isStopping = true;
    }
  }

  #refresh(nowMs: number): void {
    this.#refreshedMs = nowMs;
    this.#filesystems.refresh();
    this.#actors?.refresh();
  }

  #drain(): void {
    for (let reads = 0; reads < READS_MAX; reads += 1) {
      const events = decodeEvents(this.#buffer, readAvailable(this.#settings.groupFd, this.#buffer));
      if (events.length === 0) return;
      // Whoever caused them was executed before, and a client that waited for `connect` or `mark` is known by now.
      this.#actors?.update();
      this.#takeMessages();
      const ids = this.#filesystems.resolver();
      try {
        for (const event of events) this.#dispatch(event, ids);
      } finally {
        ids.close();
      }
      this.#flush();
    }
  }

  #outlets(): Outlet[] {
    return [...this.#locals.values(), ...this.#sockets.peers].filter(({ matches }) => matches !== undefined);
  }

  #dispatch(event: FanotifyEvent, ids: FileIdPaths): void {
    try {
      if (event.kind === 'overflow') {
        for (const outlet of this.#outlets()) outlet.offer({ kind: 'overflow', where: 'kernel', lost: undefined });
        return;
      }
      if (this.#isOwn(event.pid)) return;
      const { candidate, data } = this.#look(event, ids);
      for (const outlet of this.#outlets()) {
        if (outlet.matches?.(candidate) !== true) continue;
        const fd = outlet.passFd && event.fd >= 0 ? copyOf(event.fd) : -1;
        outlet.offer({ ...data, fd });
      }
    } finally {
      closeEvent(event);
    }
  }

  #isOwn(pid: number): boolean {
    const { ignoreOwn } = this.#settings;
    if (ignoreOwn === 'none') return false;
    if (pid === process.pid) return true;
    return ignoreOwn === 'descendants' && (this.#actors?.actorOf(pid).ppids?.includes(process.pid) ?? false);
  }

  #look(event: FanotifyEvent, ids: FileIdPaths): { candidate: Candidate; data: FanotifyData } {
    const { paths, oldPaths } = this.#pathsOf(event, ids);
    const { exe, cwd, uid, comm, cgroup } = this.#actors?.processOf(event.pid) ?? NOBODY;
    const known = { pid: event.pid, evTypes: event.mask, exe, cwd, uid, comm, cgroup };
    return {
      candidate: { ...known, paths: [...paths, ...oldPaths] },
      data: { kind: 'event', fd: -1, ...known, path: paths[0], oldPath: oldPaths[0] },
    };
  }

  /** A filesystem that fails to answer (EIO, a FUSE server's own errno) costs the path, not the event. */
  #pathsOf(event: FanotifyEvent, ids: FileIdPaths): EventPaths {
    try {
      return pathsOfEvent(event, ids);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return { paths: [], oldPaths: [], isDeleted: false };
    }
  }

  #flush(): void {
    for (const local of this.#locals.values()) local.flush();
    this.#sockets.flush();
  }
}

/** Where descriptors have run out the client gets the event without one. */
function copyOf(fd: number): number {
  try {
    return duplicateFd(fd);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return -1;
  }
}
