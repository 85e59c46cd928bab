// Who did it, for a person.
import { expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { actorsText } from '../../../src/report/actor-text.ts';

const cp: Actor = { source: 'exec', pid: 1, exe: '/bin/cp' };
const rm: Actor = { source: 'exec', pid: 2, exe: '/bin/rm', uid: 0 };
const unknown: Actor = { source: 'unknown' };

test.each<[readonly Actor[], string | undefined]>([
  [[], undefined],
  [[unknown], undefined],
  [[cp], 'cp(1)'],
  [[cp, rm], 'rm(2) uid 0 and 1 more'],
  [[rm, cp, unknown], 'cp(1) and 1 more'],
])('%j: %s', (actors, text) => {
  expect(actorsText(actors)).toBe(text);
});
