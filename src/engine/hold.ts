// Drift can veto a hook: when it is too grave, or too much of it comes at once, what is wrong is not mirrored.
import { type DriftRecord, SEVERITIES } from '../domain/drift.ts';
import type { BytePath } from '../domain/path.ts';
import type { HoldOn } from '../domain/settings.ts';
import type { Lane, News } from './lane-state.ts';
import type { Clock } from './ports/clock.ts';
import type { HeldHook, Hold } from './ports/outbox.ts';

export interface HoldParts {
  readonly clock: Clock;
  /** How many entries of the baseline are under rules that name the hook. */
  readonly entriesOf: (hook: string) => number;
  /** Whether the beginning of a file is as good as random and no known compressed format. */
  readonly looksEncrypted: (path: BytePath) => boolean;
}

/** A drift that is to be recorded, and the hooks that are told of it. */
export interface Judged {
  readonly record: DriftRecord;
  readonly told: readonly string[];
}

export interface Holds {
  /** The hooks that this drift makes wait, to be recorded with it: a crash in between would let them run. */
  judge(drifts: readonly Judged[]): HeldHook[];
  /** That is recorded. */
  hold(held: readonly HeldHook[]): void;
}

const WINDOW_MS = 60_000;
/** Fewer files than this are no mass change, whatever their share: a new tree begins small. */
const SHARE_FILES_MIN = 20;
/** Samples for one hook within the window: each reads up to 64 KiB. */
const SAMPLES_MAX = 2_000;

/** A minute is counted by the second, so that a storm of a million drifts takes no more than a calm day. */
const SECOND_MS = 1_000;

interface Counts {
  drifts: number;
  changes: number;
  encrypted: number;
  samples: number;
}

/** The drifts of the last minute, by the second in which they came, oldest first. */
type Window = Map<number, Counts>;

export function openHolds(lanes: ReadonlyMap<string, Lane>, parts: HoldParts): Holds {
  const windows = new Map<string, Window>();
  const count = ({ hook }: Lane, record: DriftRecord): Counts => {
    const window = windows.get(hook.name) ?? new Map<number, Counts>();
    windows.set(hook.name, window);
    const second = Math.floor(parts.clock.monotonicMs() / SECOND_MS);
    for (const old of window.keys()) if (old <= second - WINDOW_MS / SECOND_MS) window.delete(old);
    const now = window.get(second) ?? { drifts: 0, changes: 0, encrypted: 0, samples: 0 };
    window.set(second, now);
    const isSampled =
      hook.holdOn?.entropy !== undefined && sumOf(window).samples < SAMPLES_MAX && record.after?.type === 'file';
    now.drifts += 1;
    if (record.before !== undefined) now.changes += 1;
    if (isSampled) now.samples += 1;
    if (isSampled && parts.looksEncrypted(record.path)) now.encrypted += 1;
    return sumOf(window);
  };
  const reasonOf = (lane: Lane, { record, told }: Judged): string | undefined => {
    const { name, holdOn } = lane.hook;
    if (holdOn === undefined) return undefined;
    const counts = told.includes(name) ? count(lane, record) : undefined;
    return gravity(holdOn, record) ?? (counts && mass(holdOn, counts, () => parts.entriesOf(name)));
  };
  return {
    judge(drifts) {
      const held: HeldHook[] = [];
      for (const lane of lanes.values()) {
        // What comes while it is held is not counted: who releases it has seen that.
        if (lane.hook.holdOn === undefined || lane.memory.hold !== undefined) continue;
        const reason = first(drifts, (drift) => reasonOf(lane, drift));
        if (reason === undefined) continue;
        windows.delete(lane.hook.name);
        held.push({ hook: lane.hook.name, reason, sinceMs: parts.clock.nowMs() });
      }
      return held;
    },
    hold(held) {
      for (const { hook, ...why } of held) {
        const lane = lanes.get(hook);
        if (lane !== undefined) stop(lane, why);
      }
    },
  };
}

function first<T, R>(list: readonly T[], find: (one: T) => R | undefined): R | undefined {
  for (const one of list) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sumOf(window: Window): Readonly<Counts> {
  const sum = { drifts: 0, changes: 0, encrypted: 0, samples: 0 };
  for (const { drifts, changes, encrypted, samples } of window.values()) {
    sum.drifts += drifts;
    sum.changes += changes;
    sum.encrypted += encrypted;
    sum.samples += samples;
  }
  return sum;
}

function gravity({ severity }: HoldOn, record: DriftRecord): string | undefined {
  if (severity === undefined || SEVERITIES.indexOf(record.severity) < SEVERITIES.indexOf(severity)) return undefined;
  return `${record.severity} drift (rule ${record.rule})`;
}

function mass(
  { filesPerMinute, share, entropy }: HoldOn,
  { drifts, changes, encrypted }: Readonly<Counts>,
  entries: () => number,
): string | undefined {
  if (filesPerMinute !== undefined && drifts >= filesPerMinute) return `${drifts} drifts within a minute`;
  if (entropy !== undefined && encrypted >= entropy) return `${encrypted} files that look encrypted within a minute`;
  if (share === undefined || changes < SHARE_FILES_MIN || changes < share * entries()) return undefined;
  return `${changes} of ${entries()} entries changed within a minute`;
}

/** What is under way is ended, with its batch kept: it may be copying just that. */
function stop(lane: Lane, hold: Hold): void {
  lane.memory = { ...lane.memory, hold };
  lane.news.push(heldNews(hold));
  for (const run of lane.runs.values()) run.abort.abort();
  lane.wake.abort();
}

export function heldNews({ reason }: Hold): News {
  return { kind: 'hold', message: `held, until it is released: ${reason}` };
}
