// The reader: one thread that does nothing but empty the queues, so that a busy main thread never overflows them.
import { closeSync, openSync } from 'node:fs';
import type { Coverage } from '../domain/coverage.ts';
import { openInodeTable } from '../domain/inode-table.ts';
import { type BytePath, dirOf } from '../domain/path.ts';
import { compileScope } from '../domain/rule.ts';
import type { WatchEvent } from '../engine/ports/event-source.ts';
import { HandlePaths } from '../fanotify/handles.ts';
import { POLLIN, POLLPRI, pollOnce } from '../libc/poll.ts';
import { readAvailable } from '../libc/read.ts';
import { requireCapabilities } from './capabilities.ts';
import { DirtySet } from './dirty-set.ts';
import { isEntryEvent, isMove, isRename } from './event-paths.ts';
import { type EventPlace, placeOf } from './event-place.ts';
import { HeldGroups } from './held-groups.ts';
import { Ignoring } from './ignoring.ts';
import { Links } from './links.ts';
import { handlesOf, Marks, type WatchGroup } from './marks.ts';
import { HELD, IN_FLIGHT, READ, type ReaderMessage, type ReaderSettings, STOP, TURNS, UNRESOLVED } from './messages.ts';
import { Pace } from './pace.ts';
import { Questions } from './questions.ts';
import type { QueuedEvent, QueueWriters } from './queue-writers.ts';
import { compileRelevance, type Relevance } from './relevance.ts';
import { Resumption } from './resumption.ts';
import { Vigil } from './vigil.ts';
import { MOUNTINFO, WatchedMounts } from './watched-mounts.ts';
import { Writers } from './writers.ts';

/** Nothing depends on it, an idle thread costs nothing: how old the time may be when the queues were seen empty last. */
const POLL_MS = 5_000;
/** Events that may be under way to the consumer; beyond that paths are held here, where they merge. */
const IN_FLIGHT_MAX = 65_536;
/** Buffers read from one group before the others get their turn. */
const READS_MAX = 4;

/** Owns everything that the thread opens. */
export class Reader {
  readonly #settings: ReaderSettings;
  readonly #post: (message: ReaderMessage) => void;
  readonly #control: Int32Array;
  readonly #relevance: (path: BytePath) => Relevance;
  readonly #resumption: Resumption;
  readonly #marks: Marks;
  readonly #mounts: WatchedMounts;
  readonly #mountinfoFd: number;
  readonly #writers: Writers;
  readonly #ignoring: Ignoring;
  readonly #links: Links;
  readonly #wakeBuffer = Buffer.alloc(8);
  readonly #questions: Questions;
  readonly #pace = new Pace();
  readonly #dirty = new DirtySet();
  #events: WatchEvent[] = [];
  #coverage: readonly Coverage[] | undefined;
  readonly #vigil: Vigil;
  /** When the queues were empty last. */
  #emptyMs = Date.now();

  /** Sets all marks. Throws AppError NO_PERMISSION and what else keeps it from watching. */
  constructor(settings: ReaderSettings, post: (message: ReaderMessage) => void) {
    requireCapabilities();
    this.#settings = settings;
    this.#post = post;
    this.#control = new Int32Array(settings.control);
    this.#questions = new Questions(this.#control, post);
    const scope = compileScope(settings.scope);
    const inodes = openInodeTable(settings.inodes);
    this.#links = new Links(inodes);
    this.#relevance = compileRelevance(scope);
    // Before the table is read: what changes in between is then a change.
    this.#mountinfoFd = openSync(MOUNTINFO, 'r');
    this.#resumption = new Resumption(settings.stored);
    const held = new HeldGroups(post, (group) => this.#resumption.nameOf(group));
    this.#marks = new Marks(settings.marks, scope, this.#resumption, held);
    this.#mounts = new WatchedMounts(scope, this.#marks);
    this.#vigil = new Vigil(this.#mounts, { everyMs: settings.verifyMs, asks: settings.asks });
    this.#writers = new Writers(settings.who, settings.startsFd);
    this.#writers.follow(this.#mounts.table, this.#marks.groups());
    this.#ignoring = new Ignoring({
      scope,
      ignore: settings.scope.ignore,
      inodes,
      table: () => this.#mounts.table,
      groups: () => this.#marks.groups(),
      groupOf: (device) => this.#marks.groupOf(device),
      onProblem: (message) => post({ kind: 'problem', message }),
      onRenewed: (nowMs) => {
        this.#vigil.renew(nowMs);
        this.#writers.follow(this.#mounts.table, this.#marks.groups());
      },
    });
  }

  /** Returns once it is told to stop; everything is closed then. */
  run(): void {
    this.#post({ kind: 'ready', coverage: this.#mounts.coverage(), isResumed: this.#resumption.isWhole });
    try {
      while (Atomics.load(this.#control, STOP) === 0) this.#turn();
    } finally {
      this.#close();
    }
  }

  #turn(): void {
    Atomics.add(this.#control, TURNS, 1);
    const question = this.#questions.last();
    const groups = this.#marks.groups();
    const pauseMs = this.#pace.pauseMs(Date.now());
    // poll(2) passes over negative descriptors.
    const entries = [
      { fd: this.#settings.wakeFd, events: POLLIN },
      { fd: this.#mountinfoFd, events: POLLPRI },
      ...this.#writers.fds().map((fd) => ({ fd, events: POLLIN })),
      ...groups.map(({ group }) => ({ fd: pauseMs > 0 ? -1 : group.fd, events: POLLIN })),
    ];
    const [wake, mountinfo, execs, starts, ...ready] = pollOnce(entries, this.#timeoutMs(pauseMs, question));
    const nowMs = Date.now();
    if (wake !== 0) readAvailable(this.#settings.wakeFd, this.#wakeBuffer);
    if (starts !== 0 || execs !== 0) this.#writers.drain(nowMs);
    if (mountinfo !== 0) this.#refreshMounts(nowMs);
    // A program that starts ends a pause: what its process did before is read before it does more.
    if (execs !== 0 || ready.some((events) => events !== 0)) {
      // With events left over the next round comes at once.
      const isEmpty = groups.map((group) => this.#drain(group, nowMs)).every((emptied) => emptied);
      if (isEmpty) this.#pace.round(nowMs);
      if (isEmpty) this.#emptyMs = nowMs;
    } else if (pauseMs === 0) this.#emptyMs = nowMs;
    this.#verify(nowMs);
    this.#flush(nowMs);
    this.#questions.answer(question, this.#emptyMs === nowMs);
    this.#ignoring.step(nowMs);
    this.#writers.tick(nowMs);
  }

  #timeoutMs(pauseMs: number, question: number): number {
    if (this.#ignoring.hasWork) return 0;
    if (pauseMs > 0) return pauseMs;
    return this.#questions.isOpen(question) ? 0 : Math.min(POLL_MS, this.#vigil.leftMs(Date.now()));
  }

  /** Returns whether the queue was emptied. */
  #drain(watched: WatchGroup, nowMs: number): boolean {
    const { group, directories } = watched;
    const handles = directories ?? handlesOf(watched);
    const queue = this.#writers.queueOf(group);
    try {
      for (let reads = 0; reads < READS_MAX; reads += 1) {
        if (!queue.read()) return true;
        for (const queued of queue.take(nowMs)) {
          const { event } = queued;
          Atomics.add(this.#control, READ, 1);
          if (this.#vigil.takes(event)) continue;
          const place = placeOf(event, handles, this.#links);
          if (place === undefined) this.#overflow(nowMs);
          else {
            directories?.follow(event, place.paths);
            const isOutside = this.#take(queued, place, queue, nowMs);
            if (handles instanceof HandlePaths) this.#ignoring.take(group, event, isOutside, handles, nowMs);
          }
        }
      }
      return false;
    } finally {
      handles.close();
    }
  }

  /** Returns whether no rule has to do with it. */
  #take(queued: QueuedEvent, { paths, link }: EventPlace, queue: QueueWriters, nowMs: number): boolean {
    const { event } = queued;
    if (paths.length === 0) Atomics.add(this.#control, UNRESOLVED, 1);
    const isOutside = link === undefined && paths.every(({ path }) => this.#relevance(path) === 'outside');
    if (event.pid === process.pid) return isOutside;
    const actors = isOutside && link === undefined ? [] : queue.actorsOf(queued, nowMs);
    if (link !== undefined) for (const actor of actors) this.#dirty.link(link, actor);
    const isEntry = isEntryEvent(event);
    for (const { path, subtree } of paths) {
      if (subtree && isMove(event)) this.#ignoring.moved(path);
      const relevance = this.#relevance(path);
      if (relevance === 'outside') {
        if (subtree) this.#ignoring.appeared(path);
        else if (isOutside) this.#ignoring.happened(dirOf(path), nowMs);
        continue;
      }
      if (relevance === 'above' && !isEntry) continue;
      for (const actor of actors) this.#dirty.add(path, subtree || relevance === 'above', actor);
      if (relevance !== 'covered' && isEntry) this.#report(this.#mounts.refreshMissing(nowMs));
    }
    if (isRename(event)) this.#dirty.join(paths.map(({ path }) => path));
    return isOutside;
  }

  #overflow(nowMs: number): void {
    this.#ignoring.renew(nowMs);
    this.#mounts.lost(nowMs);
    if (!this.#events.some(({ kind }) => kind === 'overflow'))
      this.#events.push({ kind: 'overflow', sinceMs: this.#emptyMs });
    this.#coverage = this.#mounts.coverage();
  }

  #refreshMounts(nowMs: number): void {
    const changes = this.#mounts.refresh(nowMs);
    this.#report(changes);
    // A mount that went and came back between two looks may have the same number; its marks it has not.
    this.#report(this.#mounts.verify(nowMs, ['filesystem', 'mount']));
    if (changes.length > 0) this.#ignoring.renew(nowMs);
    this.#writers.follow(this.#mounts.table, this.#marks.groups());
  }

  #verify(nowMs: number): void {
    this.#report(this.#vigil.listen(nowMs, this.#emptyMs === nowMs));
    if (!this.#vigil.isDue(nowMs)) return;
    this.#refreshMounts(nowMs);
    this.#report(this.#vigil.ask(nowMs));
  }

  #report(events: readonly WatchEvent[]): void {
    if (events.length === 0) return;
    this.#events.push(...events);
    this.#coverage = this.#mounts.coverage();
  }

  /** Posts what there is, unless the consumer is far behind; then paths merge here, and at last become an overflow. */
  #flush(nowMs: number): void {
    if (this.#dirty.isFull) {
      this.#dirty.take();
      this.#overflow(nowMs);
    }
    const size = this.#dirty.size + this.#events.length;
    // In this order: a consumer that makes room from now on sees that somebody waits for it.
    Atomics.store(this.#control, HELD, size);
    if (size === 0 || Atomics.load(this.#control, IN_FLIGHT) >= IN_FLIGHT_MAX) return;
    Atomics.store(this.#control, HELD, 0);
    Atomics.add(this.#control, IN_FLIGHT, size);
    this.#post({ kind: 'batch', coverage: this.#coverage, events: this.#events, dirty: this.#dirty.take() });
    this.#events = [];
    this.#coverage = undefined;
  }

  #close(): void {
    this.#marks.close();
    this.#writers.close();
    closeSync(this.#mountinfoFd);
  }
}
