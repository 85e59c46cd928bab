import { expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { openChains } from '../../../src/engine/chain.ts';
import { type Lane, newLane } from '../../../src/engine/lane-state.ts';
import { NO_MEMORY } from '../../../src/engine/ports/outbox.ts';
import { createManualClock } from '../../fakes/clock.ts';
import { hook } from '../../fakes/hook.ts';

function setUp(longest: number) {
  const lanes = new Map(['a', 'b'].map((name): [string, Lane] => [name, newLane(hook({ name }), NO_MEMORY)]));
  const chains = openChains(lanes, longest, createManualClock());
  let pid = 100;
  /** A run of the hook, with the depth that it was told; returns who writes in it. */
  const run = (name: string): Actor[] => {
    const lane = lanes.get(name);
    pid += 1;
    lane?.own.started({ pid, cgroup: undefined }, lane.depth, 0);
    if (lane !== undefined) lane.depth = 0;
    return [{ source: 'exec', pid: pid + 1000, ppids: [pid, 1] }];
  };
  return { chains, run, news: () => [...lanes.values()].flatMap((lane) => lane.news.map(({ kind }) => kind)) };
}

const SOMEBODY: Actor[] = [{ source: 'exec', pid: 7, ppids: [1] }];

test('a hook is not told of what it did itself, others are', () => {
  const { chains, run } = setUp(3);
  const byA = run('a');
  expect([chains.isBroken('a', byA), chains.isBroken('b', byA)]).toEqual([true, false]);
  expect(chains.isBroken('a', [...byA, ...SOMEBODY])).toBe(false);
  expect(chains.isBroken('nobody', byA)).toBe(false);
});

test.each([0, 1, 3])('two that answer each other stop after %i runs that followed, and it is told once', (longest) => {
  const { chains, run, news } = setUp(longest);
  let followed = 0;
  let writer = run('a');
  for (let next = 'b'; !chains.isBroken(next, writer) && followed < 20; next = next === 'a' ? 'b' : 'a') {
    followed += 1;
    writer = run(next);
  }
  expect(followed).toBe(longest);
  expect(news()).toEqual(['chain']);
  expect(['a', 'b'].filter((name) => chains.isBroken(name, writer))).toHaveLength(2);
  expect(news()).toEqual(['chain']);
});

test('what somebody else does begins a new chain', () => {
  const { chains, run } = setUp(1);
  const second = [run('a')].map((writer) => chains.isBroken('b', writer) || run('b'))[0];
  expect(chains.isBroken('a', second as Actor[])).toBe(true);
  expect(chains.isBroken('a', SOMEBODY)).toBe(false);
  expect(chains.isBroken('b', run('a'))).toBe(false);
});
