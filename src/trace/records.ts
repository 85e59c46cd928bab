// From the events of a group, in their order, to what is shown of them.
import { constants } from 'node:os';
import { SystemError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import { FAN_ONDIR, FAN_OPEN, FAN_OPEN_EXEC } from '../fanotify/abi.ts';
import { ActorMap } from '../fanotify/actors/actor-map.ts';
import type { FanotifyEvent } from '../fanotify/decode.ts';
import { HandlePaths } from '../fanotify/handles.ts';
import { realtimeNs } from '../libc/time.ts';
import { type EventNames, EventPaths, isEcho } from './event-path.ts';
import type { Filter } from './filter.ts';
import { LOADER_CACHE, type TraceGroup } from './marks.ts';
import type { OutputReaders } from './output-readers.ts';
import { isBelow } from './places.ts';
import { Processes } from './processes.ts';
import type { EventRecord, ProcessInfo, TraceRecord } from './record.ts';

export interface RecordSettings {
  /** Event bits; others come from marks that only tell which programs start. */
  readonly events: number;
  readonly filter: Filter;
  readonly parents: boolean;
  /** Only what lies there; none: everywhere. */
  readonly within: readonly BytePath[];
}

/** Bits that marks for the start of programs bring, wherever it happens. */
const START_BITS = FAN_OPEN | FAN_OPEN_EXEC;

/** Makes records; owns what is known of processes. */
export class Records {
  readonly #settings: RecordSettings;
  readonly #readers: OutputReaders;
  /** Each queue has its own order, and so its own idea of what a process executes at the moment. */
  readonly #processes = new Map<TraceGroup, Processes>();
  #programs: ActorMap | undefined;
  readonly #paths: EventPaths;
  #isPlace: (path: BytePath) => boolean = () => true;
  #unknown = 0;
  #unnamed = 0;

  constructor(settings: RecordSettings, readers: OutputReaders) {
    this.#settings = settings;
    this.#readers = readers;
    const { within } = settings;
    this.#paths = new EventPaths((found) => found.find((path) => isBelow(path, within)) ?? found[0]);
  }

  /** Events that were left out because their process was gone before a condition could be asked of it. */
  get unknown(): number {
    return this.#unknown;
  }

  /** Events that were left out because their directory was gone before it could be named. */
  get unnamed(): number {
    return this.#unnamed;
  }

  /** The mount table has changed. `isPlace`: whether a path is one that was asked for. */
  follow(isPlace: (path: BytePath) => boolean): void {
    this.#isPlace = isPlace;
    this.#paths.forgetRoots();
  }

  /** From a queue of their own: programs lie where not every group sees them start. Throws SystemError. */
  watchPrograms(): void {
    if (this.#programs === undefined) this.#programs = ActorMap.open();
    else this.#programs.refresh();
  }

  /** What is shown of these events, whose descriptors stay with the caller. `lost`: how many could not be read. */
  of(events: readonly FanotifyEvent[], lost: number, group: TraceGroup): TraceRecord[] {
    const { filesystems } = group;
    const [timeNs, nowMs] = [realtimeNs(), Date.now()];
    this.#programs?.update();
    const processes = this.#processesOf(group);
    const handles = new HandlePaths((fsid) => filesystems.get(fsid)?.mountPoints ?? []);
    const mountPoints = [...filesystems.values()].flatMap((filesystem) => filesystem.mountPoints);
    const namesOf = (event: FanotifyEvent): EventNames =>
      orUnnamed(() => this.#paths.namesOf(event, handles, mountPoints));
    const records: TraceRecord[] = lost > 0 ? [{ kind: 'overflow', timeNs }] : [];
    try {
      for (const event of events) {
        const record = isLoss(event)
          ? ({ kind: 'overflow', timeNs } as const)
          : this.#recordOf(event, namesOf, processes, timeNs, nowMs);
        if (record !== undefined) records.push(record);
      }
      return records;
    } finally {
      handles.close();
    }
  }

  #recordOf(
    event: FanotifyEvent,
    namesOf: (event: FanotifyEvent) => EventNames,
    processes: Processes,
    timeNs: bigint,
    nowMs: number,
  ): EventRecord | undefined {
    const mask = event.mask & (this.#settings.events | FAN_ONDIR);
    const isStart = (event.mask & FAN_OPEN_EXEC) !== 0 || isLoading(event);
    const isWanted = (mask & ~FAN_ONDIR) !== 0 && this.#settings.filter.wantsPid(event.pid);
    // What this process does, its output above all, must not feed it.
    if (event.pid === process.pid || (!isStart && !isWanted)) return undefined;
    const names = namesOf(event);
    if (isStart) learn(processes, event, names);
    if (
      !isWanted ||
      isEcho(event, names) ||
      !this.#wantsNames(names, isStart && (mask & ~FAN_ONDIR & ~START_BITS) === 0)
    ) {
      return undefined;
    }
    const info = processes.infoOf(event.pid, nowMs);
    if (this.#readers.includes(info, nowMs) || !this.#wantsProcess(info)) return undefined;
    const parents = this.#settings.parents ? processes.parentsOf(info, nowMs) : undefined;
    return { kind: 'event', timeNs, mask, ...names, process: info, parents };
  }

  #processesOf(group: TraceGroup): Processes {
    let processes = this.#processes.get(group);
    if (processes === undefined) {
      processes = new Processes((pid) => this.#programs?.processOf(pid));
      this.#processes.set(group, processes);
    }
    return processes;
  }

  /** `isStray`: the event may come from a mark that only tells which programs start. */
  #wantsNames({ path, from }: EventNames, isStray: boolean): boolean {
    const { within, filter } = this.#settings;
    const names = [path, from].filter((name) => name !== undefined);
    if (names.length === 0 && (within.length > 0 || !filter.wantsPaths(names))) this.#unnamed += 1;
    if (within.length > 0 && !names.some((name) => isBelow(name, within))) return false;
    return filter.wantsPaths(names) && (!isStray || names.some((name) => this.#isPlace(name)));
  }

  /** Idempotent. */
  close(): void {
    this.#programs?.close();
  }

  #wantsProcess(info: ProcessInfo): boolean {
    const verdict = this.#settings.filter.wantsProcess(info);
    if (verdict === 'unknown') this.#unknown += 1;
    return verdict === 'wanted';
  }
}

function learn(processes: Processes, { mask, pid }: FanotifyEvent, { path }: EventNames): void {
  if (pid <= 0) return;
  if ((mask & FAN_OPEN_EXEC) === 0) processes.loading(pid);
  else if (path !== undefined) processes.execed(pid, path);
}

/** EIO, a FUSE server's own errno: it happened, but nobody says to what. */
function orUnnamed(namesOf: () => EventNames): EventNames {
  try {
    return namesOf();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { path: undefined, from: undefined };
  }
}

const LOADER_CACHE_NAME = LOADER_CACHE.slice(LOADER_CACHE.lastIndexOf('/') + 1);

function isLoading({ mask, records }: FanotifyEvent): boolean {
  return (mask & FAN_OPEN) !== 0 && records.some((record) => 'name' in record && record.name === LOADER_CACHE_NAME);
}

/** The queue was full; or the event's descriptor could not be opened for want of resources (FAN_REPORT_FD_ERROR). */
function isLoss({ kind, fd }: FanotifyEvent): boolean {
  const { EMFILE, ENFILE, ENOMEM } = constants.errno;
  return kind === 'overflow' || fd === -EMFILE || fd === -ENFILE || fd === -ENOMEM;
}
