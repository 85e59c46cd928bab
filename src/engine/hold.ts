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

interface Seen {
  readonly atMs: number;
  readonly isChange: boolean;
  readonly isEncrypted: boolean;
}

export function openHolds(lanes: ReadonlyMap<string, Lane>, parts: HoldParts): Holds {
  const windows = new Map<string, Seen[]>();
  const seenBy = ({ hook }: Lane, record: DriftRecord, nowMs: number): readonly Seen[] => {
    const window = windows.get(hook.name) ?? [];
    windows.set(hook.name, window);
    const first = window.findIndex(({ atMs }) => atMs > nowMs - WINDOW_MS);
    window.splice(0, first === -1 ? window.length : first);
    const isSampled =
      hook.holdOn?.entropy !== undefined && window.length < SAMPLES_MAX && record.after?.type === 'file';
    const isEncrypted = isSampled && parts.looksEncrypted(record.path);
    window.push({ atMs: nowMs, isChange: record.before !== undefined, isEncrypted });
    return window;
  };
  return {
    observe(record, told) {
      for (const lane of lanes.values()) {
        const { name, holdOn } = lane.hook;
        if (holdOn === undefined) continue;
        const isTold = told.includes(name);
        const seen = isTold ? seenBy(lane, record, parts.clock.monotonicMs()) : [];
        if (lane.memory.hold !== undefined) continue;
        const reason =
          gravity(holdOn, record) ?? (isTold ? mass(holdOn, seen, () => parts.entriesOf(name)) : undefined);
        if (reason === undefined) continue;
        windows.delete(name);
        hold(lane, reason, parts);
      }
    },
  };
}

function gravity({ severity }: HoldOn, record: DriftRecord): string | undefined {
  if (severity === undefined || SEVERITIES.indexOf(record.severity) < SEVERITIES.indexOf(severity)) return undefined;
  return `${record.severity} drift (rule ${record.rule})`;
}

function mass(
  { filesPerMinute, share, entropy }: HoldOn,
  seen: readonly Seen[],
  entries: () => number,
): string | undefined {
  if (filesPerMinute !== undefined && seen.length >= filesPerMinute) return `${seen.length} drifts within a minute`;
  const encrypted = entropy === undefined ? 0 : seen.filter(({ isEncrypted }) => isEncrypted).length;
  if (entropy !== undefined && encrypted >= entropy) return `${encrypted} files that look encrypted within a minute`;
  const changed = share === undefined ? 0 : seen.filter(({ isChange }) => isChange).length;
  if (share === undefined || changed < SHARE_FILES_MIN || changed < share * entries()) return undefined;
  return `${changed} of ${entries()} entries changed within a minute`;
}

/** What is under way is ended, with its batch kept: it may be copying just that. */
function hold(lane: Lane, reason: string, { outbox, clock }: HoldParts): void {
  lane.memory = { ...lane.memory, hold: { reason, sinceMs: clock.nowMs() } };
  outbox.remember(lane.hook.name, lane.memory, []);
  lane.news.push({ kind: 'hold', message: `held, until it is released: ${reason}` });
  for (const run of lane.runs.values()) run.abort.abort();
  lane.wake.abort();
}
