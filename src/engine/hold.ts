// Drift can veto a hook: when it is too grave, or too much of it comes at once, what is wrong is not mirrored.
import { type DriftRecord, SEVERITIES } from '../domain/drift.ts';
import type { BytePath } from '../domain/path.ts';
import type { HoldOn } from '../domain/settings.ts';
import type { Lane } from './lane-state.ts';
import type { Clock } from './ports/clock.ts';
import type { Outbox } from './ports/outbox.ts';

export interface HoldParts {
  readonly outbox: Outbox;
  readonly clock: Clock;
  /** How many entries of the baseline are under rules that name the hook. */
  readonly entriesOf: (hook: string) => number;
  /** Whether the beginning of a file is as good as random and no known compressed format. */
  readonly looksEncrypted: (path: BytePath) => boolean;
}

export interface Holds {
  /** A drift was recorded, and these hooks are told of it. */
  observe(record: DriftRecord, told: readonly string[]): void;
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
  return {
    observe(record, told) {
      for (const lane of lanes.values()) {
        const { name, holdOn } = lane.hook;
        // What comes while it is held is not counted: who releases it has seen that.
        if (holdOn === undefined || lane.memory.hold !== undefined) continue;
        const counts = told.includes(name) ? count(lane, record) : undefined;
        const reason = gravity(holdOn, record) ?? (counts && mass(holdOn, counts, () => parts.entriesOf(name)));
        if (reason === undefined) continue;
        windows.delete(name);
        hold(lane, reason, parts);
      }
    },
  };
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
function hold(lane: Lane, reason: string, { outbox, clock }: HoldParts): void {
  lane.memory = { ...lane.memory, hold: { reason, sinceMs: clock.nowMs() } };
  outbox.remember(lane.hook.name, lane.memory, []);
  lane.news.push({ kind: 'hold', message: `held, until it is released: ${reason}` });
  for (const run of lane.runs.values()) run.abort.abort();
  lane.wake.abort();
}
