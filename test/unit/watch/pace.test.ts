import { expect, test } from 'vitest';
import { Pace } from '../../../src/watch/pace.ts';

test('rare rounds are never held up', () => {
  const pace = new Pace();
  for (let nowMs = 0; nowMs < 1000; nowMs += 10) {
    expect(pace.pauseMs(nowMs)).toBe(0);
    pace.round(nowMs);
  }
});

test('in a storm most of the time is pause, and it is over soon after', () => {
  const pace = new Pace();
  let rounds = 0;
  for (let nowMs = 1000; nowMs < 2000; nowMs += 0.1) {
    if (pace.pauseMs(nowMs) > 0) continue;
    pace.round(nowMs);
    rounds += 1;
  }
  expect(rounds).toBeGreaterThan(200);
  expect(rounds).toBeLessThan(500);
  expect(pace.pauseMs(2010)).toBe(0);
});

test('a clock set back does not stop the reading', () => {
  const pace = new Pace();
  for (let round = 0; round < 10; round += 1) pace.round(1_000_000);
  expect(pace.pauseMs(1_000_000)).toBeGreaterThan(0);
  expect(pace.pauseMs(5_000)).toBe(0);
});
