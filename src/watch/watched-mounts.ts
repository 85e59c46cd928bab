// Follows the mount table: marks what comes, forgets what goes, and says what that does to the watched paths.
import { readFileSync } from 'node:fs';
import { UNKNOWN_ACTOR } from '../domain/actor.ts';
import type { Coverage } from '../domain/coverage.ts';
import type { BytePath } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';
import type { WatchEvent } from '../engine/ports/event-source.ts';
import { type Mount, type MountTable, mountTable, parseMountinfo } from '../fanotify/mounts.ts';
import { absenceOf } from './absence.ts';
import type { Canary, Silence } from './canary.ts';
import { MARK_KINDS, type MarkKind, presentMarks } from './mark-check.ts';
import type { MarkOutcome, Marks } from './marks.ts';
import { concerns, planMounts } from './mount-plan.ts';

export const MOUNTINFO = '/proc/self/mountinfo';

interface Watched {
  readonly mount: Mount;
  coverage: Coverage;
  /** How it was watched before its events stopped coming. */
  silenced?: Pick<Coverage, 'mode' | 'reason'> | undefined;
}

/** The mounts in scope with their coverage; one reader thread owns it. */
export class WatchedMounts {
  readonly #scope: Scope;
  readonly #marks: Marks;
  readonly #watched = new Map<string, Watched>();
  #visible = new Map<string, Mount>();
  #missing = new Map<BytePath, Coverage>();
  #table: MountTable = mountTable([]);

  /** Marks what is mounted now. Throws AppError NO_PERMISSION. */
  constructor(scope: Scope, marks: Marks) {
    this.#scope = scope;
    this.#marks = marks;
    this.refresh(Date.now());
  }

  get table(): MountTable {
    return this.#table;
  }

  coverage(): Coverage[] {
    return [...[...this.#watched.values()].map(({ coverage }) => coverage), ...this.#missing.values()];
  }

  /** Events of all mounts were lost at `nowMs`. */
  lost(nowMs: number): void {
    for (const watched of this.#watched.values()) {
      watched.coverage = { ...watched.coverage, sinceMs: nowMs, gaps: watched.coverage.gaps + 1 };
    }
  }

  /** Reads the mount table again; returns what changed for the rules since the last time. */
  refresh(nowMs: number): WatchEvent[] {
    this.#table = mountTable(parseMountinfo(readFileSync(MOUNTINFO, 'latin1')));
    const planned = new Map(planMounts(this.#table, this.#scope).map((mount) => [keyOf(mount), mount]));
    for (const [key, { mount }] of this.#watched) {
      if (planned.has(key)) continue;
      this.#watched.delete(key);
      this.#marks.forget(mount);
    }
    for (const [key, mount] of planned) if (!this.#watched.has(key)) this.#watched.set(key, this.#watch(mount, nowMs));
    this.#marks.settle();
    return [...this.#mountChanges(nowMs), ...this.refreshMissing(nowMs)];
  }

  /**
   * Sets marks again that the kernel does not have any more; returns what became of them. `kinds`: those that are looked for;
   * inodes may be many.
   */
  verify(nowMs: number, kinds: readonly MarkKind[] = MARK_KINDS): WatchEvent[] {
    const marksOf = presentMarks();
    const lost = [...this.#watched.values()].filter(({ mount }) => !this.#marks.holds(mount, marksOf, kinds));
    const events = lost.flatMap((watched) => {
      const went = this.#lose(watched, 'the kernel does not have its marks any more', nowMs);
      this.#marks.forget(watched.mount);
      return [went, ...this.#regain(watched, this.#mark(watched.mount), nowMs)];
    });
    this.#marks.settle();
    return events;
  }

  /** Mounts of which no events come. */
  silent(silences: readonly Silence[], nowMs: number): WatchEvent[] {
    const reasons = new Map(silences.map(({ at, reason }) => [at, reason]));
    return [...this.#watched.values()].flatMap((watched) => {
      const reason = reasons.get(watched.mount.mountPoint);
      if (reason === undefined || watched.silenced !== undefined) return [];
      watched.silenced = watched.coverage;
      return [this.#lose(watched, reason, nowMs)];
    });
  }

  /** Mounts of which events come. */
  heard(at: readonly BytePath[], nowMs: number): WatchEvent[] {
    const back = [...this.#watched.values()].filter(({ mount }) => at.includes(mount.mountPoint));
    return back.flatMap((watched) =>
      watched.silenced === undefined ? [] : this.#regain(watched, watched.silenced, nowMs),
    );
  }

  canaries(): Canary[] {
    return [...this.#watched.values()].flatMap(({ mount }) => this.#marks.canaryOf(mount) ?? []);
  }

  /** A gap that lasts until it is regained. */
  #lose(watched: Watched, reason: string, nowMs: number): WatchEvent {
    const { mount, gaps, mode, sinceMs } = watched.coverage;
    const isMore = mode === 'none';
    watched.coverage = {
      mount,
      mode: 'none',
      sinceMs: isMore ? sinceMs : nowMs,
      gaps: gaps + (isMore ? 0 : 1),
      reason,
    };
    return { kind: 'coverage', coverage: watched.coverage, state: 'lost' };
  }

  /** Whatever happened meanwhile has to be looked for. */
  #regain(watched: Watched, { mode, reason }: Pick<Coverage, 'mode' | 'reason'>, nowMs: number): WatchEvent[] {
    const { mount, gaps } = watched.coverage;
    watched.silenced = undefined;
    watched.coverage = { mount, mode, sinceMs: nowMs, gaps, reason };
    return [
      { kind: 'coverage', coverage: watched.coverage, state: 'watched' },
      { kind: 'dirty', path: mount, subtree: true, actor: UNKNOWN_ACTOR },
    ];
  }

  #mark(mount: Mount): MarkOutcome {
    return this.#marks.watch(mount, (path) => this.#table.mountAt(path)?.id !== mount.id);
  }

  #watch(mount: Mount, nowMs: number): Watched {
    const { mode, reason } = this.#mark(mount);
    return { mount, coverage: { mount: mount.mountPoint, mode, sinceMs: nowMs, gaps: 0, reason } };
  }

  #mountChanges(nowMs: number): WatchEvent[] {
    const before = this.#visible;
    const isRelevant = (mount: Mount): boolean =>
      concerns(this.#scope, mount.mountPoint) && this.#table.isVisible(mount);
    this.#visible = new Map(this.#table.mounts.filter(isRelevant).map((mount) => [keyOf(mount), mount]));
    const came = [...this.#visible].filter(([key]) => !before.has(key)).map(([, mount]) => mount);
    const wentAt = [...before].filter(([key]) => !this.#visible.has(key)).map(([, mount]) => mount.mountPoint);
    const covered = new Set(came.map(({ mountPoint }) => mountPoint));
    return [
      ...came.flatMap(({ mountPoint }) => this.#changed(mountPoint, 'covered', nowMs)),
      ...wentAt.filter((path) => !covered.has(path)).flatMap((path) => this.#changed(path, 'watched', nowMs)),
    ];
  }

  #changed(path: BytePath, state: 'covered' | 'watched', nowMs: number): WatchEvent[] {
    const coverage = this.#coverageAt(path, nowMs);
    const isLost = state === 'watched' && coverage.mode === 'none';
    const reason = state === 'watched' ? unmountedReason(coverage) : coverage.reason;
    return [
      { kind: 'coverage', coverage: { ...coverage, reason }, state: isLost ? 'lost' : state },
      { kind: 'dirty', path, subtree: true, actor: UNKNOWN_ACTOR },
    ];
  }

  #coverageAt(path: BytePath, nowMs: number): Coverage {
    const mount = this.#table.mountAt(path);
    const watched = mount === undefined ? undefined : this.#watched.get(keyOf(mount));
    if (watched !== undefined) return { ...watched.coverage, mount: path };
    return { mount: path, mode: 'none', sinceMs: nowMs, gaps: 0, reason: 'no rule extends to this mount' };
  }

  /** Looks again which rule paths exist; to be called when one of them, or a directory above, came or went. */
  refreshMissing(nowMs: number): WatchEvent[] {
    const before = this.#missing;
    this.#missing = new Map(
      this.#scope.roots.flatMap((mount): [BytePath, Coverage][] => {
        const reason = absenceOf(mount);
        return reason === undefined
          ? []
          : [[mount, { mount, mode: 'none', sinceMs: nowMs, gaps: 0, ...before.get(mount), reason }]];
      }),
    );
    const went = [...this.#missing].filter(([root]) => !before.has(root)).map(([, coverage]) => coverage);
    const came = [...before.keys()].filter((root) => !this.#missing.has(root));
    return [
      ...went.map((coverage): WatchEvent => ({ kind: 'coverage', coverage, state: 'lost' })),
      ...came.map(
        (root): WatchEvent => ({ kind: 'coverage', coverage: this.#coverageAt(root, nowMs), state: 'watched' }),
      ),
    ];
  }
}

function unmountedReason({ reason }: Coverage): string {
  const went = 'what was mounted there is gone';
  return reason === undefined ? went : `${went}; ${reason}`;
}

/** The kernel reuses mount ids, so the id alone does not name a mount across time. */
function keyOf(mount: Mount): string {
  return `${mount.id} ${mount.device} ${mount.root} ${mount.mountPoint}`;
}
