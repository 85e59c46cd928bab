// A disk in memory, a real baseline of it, and the engine over both.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHasher } from '../../../src/disk/digest.ts';
import type { IsHeld } from '../../../src/domain/batch.ts';
import type { Dirty, Doubt } from '../../../src/domain/dirty.ts';
import type { DriftRecord } from '../../../src/domain/drift.ts';
import type { Entry } from '../../../src/domain/entry.ts';
import { type BytePath, pathFromText } from '../../../src/domain/path.ts';
import { compileScope, type Rule } from '../../../src/domain/rule.ts';
import { ulid } from '../../../src/domain/ulid.ts';
import { type AcceptRequest, type AcceptResult, accept } from '../../../src/engine/accept.ts';
import { type CheckTotals, check } from '../../../src/engine/check.ts';
import { openCounterparts } from '../../../src/engine/counterparts.ts';
import { init } from '../../../src/engine/init.ts';
import { openInodeNames } from '../../../src/engine/inode-names.ts';
import type { Store } from '../../../src/engine/ports/store.ts';
import type { Reconciled } from '../../../src/engine/reconcile.ts';
import { type RecordOptions, recordDrift } from '../../../src/engine/recorder.ts';
import { walkRoots } from '../../../src/engine/roots.ts';
import { openStore } from '../../../src/sqlite/store.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { createFakeDisk, type FakeDisk } from '../../fakes/disk.ts';
import { entry, path } from '../../fakes/entry.ts';
import { silentRecords, silentReporter } from '../../fakes/records.ts';
import { rule } from '../../fakes/rule.ts';

export const dir = (name: string, inode: bigint): Entry => entry(name, { type: 'directory', inode });

const hash = openHasher();

export class Ground {
  readonly store: Store;
  disk: FakeDisk = createFakeDisk([]);
  rules: Rule[] = [rule('all', ['/r'], { hooks: ['mirror'] })];
  /** What was said of open drift last, by id. */
  readonly told = new Map<string, DriftRecord>();
  /** Above so many differences below directories they come in slices of so many. */
  sliceMax = Number.POSITIVE_INFINITY;
  /** Where the baseline has the inodes of what appears is known. */
  hasNames = false;
  /** Files with more content are left for later. */
  contentMaxBytes = Number.POSITIVE_INFINITY;
  /** Ends what is compared. */
  readonly stop = new AbortController();
  /** Whoever has a turn before more is read. */
  between = (_isHeld: IsHeld): Promise<void> => Promise.resolve();
  /** What is to be looked at again. */
  readonly left: Doubt[] = [];
  /** What somebody else is at, between whose readings this is. */
  isHeld = (_path: BytePath): boolean => false;
  /** How many of them came so far. */
  slices = 0;
  #ids = 0;
  #counterparts = openCounterparts();
  readonly #directory = mkdtempSync(join(tmpdir(), 'driftline-engine-'));

  constructor() {
    this.store = openStore({ path: pathFromText(join(this.#directory, 'b.db')), mode: 'create', hash });
  }

  async start(...entries: Entry[]): Promise<void> {
    this.disk = createFakeDisk([dir('/r', 1n), ...entries]);
    const nothing = (): void => {};
    await init(this.disk, this.store, {
      roots: [path('/r')],
      signal: new AbortController().signal,
      onPortion: nothing,
      onIncomplete: nothing,
      record: () => '{}',
    });
  }

  /** Says that the paths (a trailing slash: whole trees) are dirty; returns what was recorded. */
  dirty(...names: string[]): Promise<string[]> {
    return this.dirtyBy({}, ...names);
  }

  /** The same, with who did it and what is its own doing. */
  async dirtyBy(by: Partial<Dirty> & RecordOptions, ...names: string[]): Promise<string[]> {
    const said: string[] = [];
    const list = names.map((name) => ({
      path: path(name.replace(/(.)\/$/, '$1')),
      subtree: name.endsWith('/'),
      actors: by.actors ?? [],
      hasOthers: by.hasOthers ?? false,
      sinceMs: 0,
    }));
    const reporter = {
      ...silentReporter,
      drift: (record: DriftRecord) => {
        said.push(`${line(record.kind, record.path, record.from)} #${record.seq}`);
        this.told.set(record.id, record);
      },
      resolved: ({ id, path: at }: { id: string; path: string }) => {
        said.push(`resolved ${at}`);
        this.told.delete(id);
      },
    };
    const record = async (found: Reconciled): Promise<void> => {
      const { left } = await recordDrift({ ...this.#parts(), reporter }, found, by);
      this.left.push(...left);
    };
    const slicing = {
      togetherMax: this.sliceMax,
      max: this.sliceMax,
      record: (found: Reconciled) => {
        this.slices += 1;
        return record(found);
      },
      between: (isHeld: IsHeld) => this.between(isHeld),
      signal: this.stop.signal,
    };
    const inodes = openInodeNames({ store: this.store, clock: createManualClock(), onFull: () => {} });
    await inodes.fill(slicing.signal);
    const parts = { ...this.#parts(), ...(this.hasNames && { names: inodes }) };
    await record(
      await this.#counterparts.reconcile(parts, list, {
        slicing,
        contentMaxBytes: this.contentMaxBytes,
        isHeld: this.isHeld,
      }),
    );
    return said;
  }

  /** Of two halves of a move only what is open is known from now on. */
  forget(): void {
    this.#counterparts = openCounterparts();
  }

  outboxPaths(): string[] {
    const batch = this.store.outbox.claim('mirror');
    if (batch !== undefined) this.store.outbox.settle(batch.key, { kind: 'done' }, []);
    return [...(batch?.paths ?? [])];
  }

  /** What a check finds. */
  async check(...names: string[]): Promise<{ found: string[]; totals: CheckTotals }> {
    const parts = this.#parts();
    const found: string[] = [];
    const items = check(parts, { roots: walkRoots(parts.scope, names.map(path)), quick: false, verify: true, hash });
    for (;;) {
      const { done, value } = await items.next();
      if (done) return { found: found.sort(), totals: value };
      if (value.kind === 'drift') found.push(line(value.drift.kind, value.drift.path, value.drift.from));
      else found.push(`incomplete ${value.path}`);
    }
  }

  accept(names: readonly string[], fields: Partial<AcceptRequest> = {}): Promise<AcceptResult> {
    const request = { report: undefined, reviewed: undefined, by: { source: 'unknown' as const }, ...fields };
    return accept(this.#parts(), { ...request, paths: names.map(path) });
  }

  /** Open drift as `key`, or `key -> path`. */
  open(): string[] {
    return [...this.store.openDrift()].map(({ key, path: at }) => (key === at ? key : `${key} -> ${at}`));
  }

  inBaseline(name: string): Entry | undefined {
    return this.store.baseline.find(path(name));
  }

  close(): void {
    this.store.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #parts() {
    const scope = compileScope({ rules: this.rules, ignore: [], own: [] });
    const newId = (ms: number): string => {
      this.#ids += 1;
      return ulid(ms, new Uint8Array(new Uint32Array([this.#ids, 0, 0]).buffer, 0, 10));
    };
    return {
      disk: this.disk,
      baseline: this.store.baseline,
      scope,
      store: this.store,
      records: silentRecords,
      reporter: silentReporter,
      clock: createManualClock(),
      newId,
      hash,
    };
  }
}

function line(kind: string, at: BytePath, from: BytePath | undefined): string {
  return `${kind} ${from === undefined ? '' : `${from} -> `}${at}`;
}
