// Live events with their processes: what is marked, and what is read of it.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import type { BytePath } from '../domain/path.ts';
import { type MountTable, mountTable, parseMountinfo } from '../fanotify/mounts.ts';
import type { Stall } from '../fanotify/stream.ts';
import { POLLPRI, pollOnce } from '../libc/poll.ts';
import type { Filter } from './filter.ts';
import { type TraceGroup, TraceMarks } from './marks.ts';
import { OutputReaders } from './output-readers.ts';
import { compilePlaces } from './places.ts';
import type { TraceRecord } from './record.ts';
import { Records } from './records.ts';
import { keyOf, type MarkKind, type Target, targetsOf } from './targets.ts';

export interface TraceSettings {
  readonly kind: MarkKind;
  /** Real paths; none: every mounted filesystem, also those that come. */
  readonly paths: readonly BytePath[];
  /** Event bits. */
  readonly events: number;
  readonly filter: Filter;
  readonly parents: boolean;
  /** The descriptor that records are printed to: what its readers do is not shown. */
  readonly outputFd: number;
  /** Something is not seen, or not shown; the trace goes on. */
  readonly warn: (message: string) => void;
}

const MOUNTINFO = '/proc/self/mountinfo';
/** How often mounts are looked at. */
const FOLLOW_MS = 100;
/** Small enough for what comes first to be printed, and asked about in /proc, soon. */
const BATCH_EVENTS = 512;
/** ldconfig(8) replaces the loader's cache, and the mark goes with the old one. */
const REFRESH_MS = 5_000;

/** Owns groups and descriptors. */
export class Trace {
  readonly #settings: TraceSettings;
  readonly #marks: TraceMarks;
  readonly #mountinfoFd: number;
  readonly #records: Records;
  #refreshedMs = Date.now();

  /** Sets all marks. Throws AppError and SystemError. */
  constructor(settings: TraceSettings) {
    const { kind, paths, warn, outputFd } = settings;
    this.#settings = settings;
    const readers = new OutputReaders(outputFd, (reader) =>
      warn(`what ${reader.comm ?? '?'}(${reader.pid}) does is not shown: it reads this output, and would feed itself`),
    );
    this.#marks = new TraceMarks(settings.events, warn);
    const { events } = this.#marks;
    this.#records = new Records({ ...settings, events, within: kind === 'within' ? paths : [] }, readers);
    // Before the table is read: what changes in between is then a change.
    this.#mountinfoFd = openSync(MOUNTINFO, 'r');
    const table = readMounts();
    this.#mark(table, (target, error) => this.#isRequired(target, table) || errorCode(error) === 'EPERM');
  }

  /** How many filesystems, mounts or directories are marked. */
  get marks(): number {
    return this.#marks.size;
  }

  /** Events that were left out because a condition could not be asked any more: of their process, of their names. */
  get leftOut(): { readonly unknown: number; readonly unnamed: number } {
    const { unknown, unnamed } = this.#records;
    return { unknown, unnamed };
  }

  /** Hands over records as they come, until `signal` is aborted. Throws what `show` throws, and SystemError. */
  async run(signal: AbortSignal, show: (records: readonly TraceRecord[]) => void): Promise<void> {
    const failed = new AbortController();
    const end = AbortSignal.any([signal, failed.signal]);
    const pumps = new Map<TraceGroup, Promise<void>>();
    const fail = (error: unknown): void => failed.abort(error);
    const pumpAll = (): void => {
      for (const group of this.#marks.groups()) {
        if (!pumps.has(group)) pumps.set(group, this.#pump(group, end, show).catch(fail));
      }
    };
    const timer = setInterval(() => orElse(() => this.#follow() && pumpAll(), fail), FOLLOW_MS);
    pumpAll();
    await aborted(end);
    clearInterval(timer);
    await Promise.all(pumps.values());
    if (failed.signal.aborted) throw failed.signal.reason;
  }

  async #pump(group: TraceGroup, signal: AbortSignal, show: (records: readonly TraceRecord[]) => void): Promise<void> {
    const { warn } = this.#settings;
    const onStall = ({ heldEvents }: Stall): void =>
      warn(`${heldEvents} events wait for the output to be read: more may not fit into the queue of the kernel`);
    for await (const { events, lost } of group.group.events({ signal, onStall, batchEvents: BATCH_EVENTS })) {
      const records = this.#records.of(events, lost.length, group);
      if (records.length > 0) show(records);
      if (signal.aborted) return;
      // Signals and timers have their turn.
      await turn();
    }
  }

  /** Returns whether there may be new groups. */
  #follow(): boolean {
    const [changed] = pollOnce([{ fd: this.#mountinfoFd, events: POLLPRI }], 0);
    if (changed === 0 && Date.now() - this.#refreshedMs < REFRESH_MS) return false;
    this.#mark(readMounts(), () => false);
    return true;
  }

  /** Marks what is not marked yet; `isFatal` decides whether a failure ends the trace. */
  #mark(table: MountTable, isFatal: (target: Target, error: unknown) => boolean): void {
    const { kind, paths, warn } = this.#settings;
    this.#refreshedMs = Date.now();
    this.#records.follow(compilePlaces(table, kind, paths));
    const targets = targetsOf(table, kind, paths);
    this.#marks.forgetAllBut(new Set(targets.map(keyOf)));
    for (const target of targets) {
      try {
        this.#marks.mark(target, table);
      } catch (error) {
        if (isFatal(target, error)) throw error;
        warn(`${escapePath(target.path)} is not traced: ${errorMessage(error)}`);
      }
    }
    this.#marks.markPrograms(table);
    if (this.#marks.hasBlindSpot) this.#records.watchPrograms();
  }

  /** What was asked for by name must be seen. */
  #isRequired({ kind, mount }: Target, table: MountTable): boolean {
    return kind === 'dir' || this.#settings.paths.some((path) => table.mountAt(path)?.id === mount.id);
  }

  /** Idempotent. */
  close(): void {
    this.#marks.close();
    this.#records.close();
    closeSync(this.#mountinfoFd);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

function orElse(work: () => unknown, fail: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    fail(error);
  }
}

function readMounts(): MountTable {
  return mountTable(parseMountinfo(readFileSync(MOUNTINFO, 'latin1')));
}
