// The loop without a baseline: event -> dirty path -> batch -> read state -> compare with what was seen -> outbox -> run.
import { type Actor, UNKNOWN_ACTOR } from '../domain/actor.ts';
import { type BatchSettings, createBatch } from '../domain/batch.ts';
import type { Dirty } from '../domain/dirty.ts';
import { type BytePath, dirOf, ROOT_DIR } from '../domain/path.ts';
import { coverageNotice } from './coverage-notice.ts';
import type { Echoes } from './echo.ts';
import { type FirstLookParts, firstLook } from './first-look.ts';
import { look } from './look.ts';
import type { EventSource, WatchEvent } from './ports/event-source.ts';
import type { OutboxItem } from './ports/outbox.ts';
import { walkRoots } from './roots.ts';
import type { Trigger } from './trigger.ts';

export interface RunOnChangeParts extends FirstLookParts {
  readonly source: EventSource;
  readonly trigger: Pick<Trigger, 'notify' | 'isOwnDoing' | 'readMeanwhile'>;
  /** The one that gets everything. */
  readonly hook: string;
  /** Told by whoever runs the command when a run starts and ends. */
  readonly echoes: Echoes;
  readonly enqueue: (item: OutboxItem) => void;
  readonly settings: BatchSettings;
  /** The first look is over; `everything`: it got to its end. */
  readonly onLooked: (everything: boolean) => void;
}

/** Until the signal aborts; throws what it cannot go on after. The marks are set: `parts.source` is open. */
export async function runOnChange(parts: RunOnChangeParts, signal: AbortSignal): Promise<void> {
  const { clock, source } = parts;
  const batch = createBatch(parts.settings);
  let wake = new AbortController();
  let failure: unknown;

  const survive = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      failure ??= error;
      wake.abort();
    });
  };
  const doubt = (path: BytePath, subtree: boolean, actor = UNKNOWN_ACTOR): void => {
    const nowMs = clock.monotonicMs();
    batch.add({ path, subtree, actors: [actor], hasOthers: false, sinceMs: nowMs }, nowMs);
  };

  const onEvent = (event: WatchEvent): void => {
    switch (event.kind) {
      case 'dirty':
        doubt(event.path, event.subtree, event.actor);
        return;
      case 'renamed':
        batch.join(event.paths);
        return;
      case 'linked':
        // Names are found by inode in a baseline; here the one that was written through has to do.
        return;
      case 'overflow':
        parts.reporter.problem('the kernel queue overflowed and events were lost: everything is looked at again');
        for (const root of walkRoots(parts.scope, [])) doubt(root, true);
        return;
      case 'coverage':
        parts.reporter.notice(coverageNotice(event.coverage, event.state));
        return;
    }
  };
  const pump = async (): Promise<void> => {
    for await (const events of source.events()) {
      for (const event of events) onEvent(event);
      wake.abort();
      if (signal.aborted) return;
    }
  };

  signal.addEventListener('abort', () => wake.abort(), { once: true });
  survive(pump());
  survive(firstLook(parts, signal).then(parts.onLooked));
  while (!signal.aborted && failure === undefined) {
    const waitMs = (batch.dueMs() ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
    if (waitMs > 0) {
      wake = new AbortController();
      await clock.sleep(Math.min(waitMs, IDLE_MS), wake.signal);
    }
    const due = batch.take(clock.monotonicMs()).flat();
    if (due.length === 0) continue;
    for (const path of await flush(parts, due)) doubt(path, false);
  }
  if (failure !== undefined) throw failure;
}

/** Nothing depends on it: the loop is woken by its events. */
const IDLE_MS = 3_600_000;

/** Tells the trigger of what changed; returns what has to be looked at again. */
async function flush(parts: RunOnChangeParts, dirty: readonly Dirty[]): Promise<readonly BytePath[]> {
  const { trigger, hook, echoes } = parts;
  const looked = await look(parts, dirty);
  const causes = new Map(dirty.map((one) => [one.path, one]));
  const isOwn = (actors: readonly Actor[]): boolean => trigger.isOwnDoing(hook, actors);
  const [sure, doubtful] = [new Set<BytePath>(), new Set<BytePath>()];
  const sort = (path: BytePath, cause: Dirty | undefined): void => {
    if (cause !== undefined && !cause.hasOthers && isOwn(cause.actors)) return;
    (cause !== undefined && echoes.isDoubtful(cause, isOwn) ? doubtful : sure).add(path);
  };
  for (const path of looked.changed) sort(path, causeOf(path, causes));
  // What a run has read while it was otherwise than before and after.
  for (const one of dirty) {
    const now = { ctimeNs: looked.ctimes.get(one.path), around: () => [] };
    const given = trigger.readMeanwhile(one, now).flatMap(({ paths }) => paths);
    for (const path of given) sort(path, one);
  }
  const { paths, held } = echoes.admit(sure, doubtful);
  if (held > 0) parts.reporter.notice('what changed during a run, by nobody who was seen, waits for the next change');
  if (paths.length > 0) {
    parts.enqueue({ hook, record: '', paths });
    trigger.notify(hook);
  }
  return looked.unstable;
}

/** What was in doubt: the path itself, or the nearest directory above it. */
function causeOf(path: BytePath, causes: ReadonlyMap<BytePath, Dirty>): Dirty | undefined {
  for (let at = path; at !== ROOT_DIR; at = dirOf(at)) {
    const cause = causes.get(at);
    if (cause !== undefined) return cause;
  }
  return undefined;
}
