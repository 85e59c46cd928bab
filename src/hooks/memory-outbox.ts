// The outbox of a command without a state directory: what is not delivered goes with the process. Nobody retries what it has
// given up, so that is dropped; records of runs are nobody's journal.
import { AppError } from '../domain/errors.ts';
import { comparePaths } from '../domain/path.ts';
import type { HookBatch, Outbox, OutboxItem, Settlement } from '../engine/ports/store.ts';

export interface MemoryOutbox extends Outbox {
  add(item: OutboxItem): void;
}

interface Open {
  readonly key: string;
  readonly items: readonly OutboxItem[];
  attempts: number;
  notBeforeMs: number | undefined;
}

interface Queue {
  waiting: OutboxItem[];
  /** Of the first item that was not delivered yet; milliseconds since the epoch. */
  oldestMs: number | undefined;
  open: Open | undefined;
}

export function openMemoryOutbox(nowMs: () => number): MemoryOutbox {
  const queues = new Map<string, Queue>();
  let keys = 0;
  return {
    add(item) {
      const queue = queues.get(item.hook) ?? { waiting: [], oldestMs: undefined, open: undefined };
      queues.set(item.hook, queue);
      queue.waiting.push(item);
      queue.oldestMs ??= nowMs();
    },
    backlog: () => [...queues].filter(([, queue]) => pendingOf(queue) > 0).map(backlogOf),
    claim(hook) {
      const queue = queues.get(hook);
      if (queue === undefined || pendingOf(queue) === 0) return undefined;
      if (queue.open === undefined) {
        keys += 1;
        queue.open = { key: `${process.pid}-${keys}`, items: queue.waiting, attempts: 0, notBeforeMs: undefined };
        queue.waiting = [];
      }
      return batchOf(hook, queue.open);
    },
    settle(key, settlement) {
      const queue = [...queues.values()].find(({ open }) => open?.key === key);
      if (queue?.open === undefined) throw new AppError('INTERNAL', `internal error: there is no open batch ${key}`);
      settle(queue, queue.open, settlement, nowMs());
    },
  };
}

function pendingOf({ waiting, open }: Queue): number {
  return waiting.length + (open?.items.length ?? 0);
}

function backlogOf([hook, queue]: [string, Queue]) {
  const { oldestMs, open } = queue;
  return { hook, pending: pendingOf(queue), dead: 0, oldestMs, notBeforeMs: open?.notBeforeMs };
}

function batchOf(hook: string, { key, items, attempts }: Open): HookBatch {
  const paths = [...new Set(items.flatMap((item) => item.paths))].sort(comparePaths);
  return { key, hook, attempts, records: items.map(({ record }) => record), paths };
}

function settle(queue: Queue, open: Open, settlement: Settlement, nowMs: number): void {
  switch (settlement.kind) {
    case 'done':
    case 'dead':
      queue.open = undefined;
      queue.oldestMs = queue.waiting.length === 0 ? undefined : nowMs;
      return;
    case 'again':
      open.attempts += 1;
      open.notBeforeMs = settlement.notBeforeMs;
      return;
    case 'released':
      queue.waiting = [...open.items, ...queue.waiting];
      queue.open = undefined;
      return;
  }
}
