// The outbox of a command without a state directory: what is not delivered goes with the process. Nobody retries what it has
// given up, so that is dropped; records of runs are nobody's journal.
import { AppError } from '../domain/errors.ts';
import { comparePaths } from '../domain/path.ts';
import {
  type BatchState,
  type HookBacklog,
  type HookBatch,
  type HookMemory,
  NO_MEMORY,
  type Outbox,
  type OutboxItem,
  type Settlement,
} from '../engine/ports/outbox.ts';

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
  const memories = new Map<string, HookMemory>();
  let keys = 0;
  return {
    add(item) {
      const queue = queues.get(item.hook) ?? { waiting: [], oldestMs: undefined, open: undefined };
      queues.set(item.hook, queue);
      queue.waiting.push(item);
      queue.oldestMs ??= nowMs();
    },
    backlog: () => [...queues].filter(([, queue]) => pendingOf(queue) > 0).map(backlogOf),
    hasWaiting: (hook) => (queues.get(hook)?.waiting.length ?? 0) > 0,
    batches: (hook) => batchesOf(queues.get(hook)),
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
    peek: () => undefined,
    settle(key, settlement, _journal, memory) {
      const [hook, queue] = [...queues].find(([, { open }]) => open?.key === key) ?? ['', undefined];
      if (queue?.open === undefined) throw new AppError('INTERNAL', `internal error: there is no open batch ${key}`);
      settle(queue, queue.open, settlement, nowMs());
      if (memory !== undefined) memories.set(hook, memory);
    },
    revive: () => 0,
    memory: (hook) => memories.get(hook) ?? NO_MEMORY,
    remember: (hook, memory) => {
      memories.set(hook, memory);
    },
  };
}

function pendingOf({ waiting, open }: Queue): number {
  return waiting.length + (open?.items.length ?? 0);
}

function backlogOf([hook, queue]: [string, Queue]): HookBacklog {
  const { waiting, oldestMs, open } = queue;
  const numbers = { pending: pendingOf(queue), waiting: waiting.length, dead: 0 };
  return { hook, ...numbers, oldestMs, notBeforeMs: open?.notBeforeMs };
}

function batchesOf(queue: Queue | undefined): BatchState[] {
  if (queue?.open === undefined) return [];
  const { open, oldestMs = 0 } = queue;
  const { key, attempts, items, notBeforeMs } = open;
  return [{ key, isDead: false, attempts, items: items.length, oldestMs, notBeforeMs }];
}

function batchOf(hook: string, { key, items, attempts }: Open): HookBatch {
  const paths = [...new Set(items.flatMap((item) => item.paths))].sort(comparePaths);
  return { key, hook, attempts, records: items.map(({ record }) => record), paths, lastNumber: 0 };
}

function settle(queue: Queue, open: Open, settlement: Settlement, nowMs: number): void {
  switch (settlement.kind) {
    case 'done':
    case 'dead':
      queue.open = undefined;
      queue.oldestMs = queue.waiting.length === 0 ? undefined : nowMs;
      return;
    case 'again':
      if (settlement.counts) open.attempts += 1;
      open.notBeforeMs = settlement.notBeforeMs;
      return;
    case 'released':
      queue.waiting = [...open.items, ...queue.waiting];
      queue.open = undefined;
      return;
  }
}
