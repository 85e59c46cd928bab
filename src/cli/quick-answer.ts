// `check --quick` beside a running watch: the watch has seen every change, so it is asked instead of the disk.
import { createHash } from 'node:crypto';
import type { BytePath } from '../domain/path.ts';
import type { Settings } from '../domain/settings.ts';
import { type Suspects, unsure } from '../engine/suspects.ts';
import { isMissing } from '../watch/absence.ts';
import { askWatch } from './control-client.ts';
import { isRecord, parsePath } from './control-protocol.ts';
import { scopeSettings } from './state.ts';
import type { Session } from './watch-session.ts';

/** What the watch knows: since then nothing was missed, and only these paths may differ from the baseline. */
export interface QuickKnowledge {
  readonly sinceMs: number;
  readonly paths: readonly BytePath[];
}

/** A reason, for a person, when the watch cannot know; undefined when none is running. */
export async function askQuickly(settings: Settings): Promise<QuickKnowledge | string | undefined> {
  let reply: unknown;
  try {
    reply = await askWatch(settings.baseline, { op: 'quick', scope: scopeId(settings) });
  } catch {
    return 'it gives no answer';
  }
  if (reply === undefined) return undefined;
  if (!isRecord(reply)) return 'its answer is not understood';
  const { sinceMs, paths, reason } = reply;
  if (typeof reason === 'string') return reason;
  if (typeof sinceMs !== 'number' || !Array.isArray(paths)) return 'its answer is not understood';
  return { sinceMs, paths: paths.map(parsePath) };
}

/** The answer of a watch, plain JSON. */
export async function answerQuickly({ watch, source, settings }: Session, scope: string): Promise<unknown> {
  if (scope !== scopeId(settings)) return unsure('its configuration is another one');
  const suspects: Suspects = await watch.suspects();
  if (suspects.kind === 'unsure') return suspects;
  // Asked after everything else: what was lost meanwhile shows here.
  const coverage = source.coverage().filter(({ mount }) => !isMissing(mount));
  const seesAll = coverage.length > 0 && coverage.every(({ mode }) => mode === 'filesystem');
  if (!seesAll) return unsure('it does not see every change');
  return { paths: suspects.paths, sinceMs: Math.max(...coverage.map(({ sinceMs }) => sinceMs)) };
}

/** Equal for settings under which a check would do the same. */
function scopeId(settings: Settings): string {
  const text = JSON.stringify(scopeSettings(settings), (_, value: unknown) =>
    value instanceof Set ? [...value].sort() : value,
  );
  return createHash('sha256').update(text).digest('hex');
}
