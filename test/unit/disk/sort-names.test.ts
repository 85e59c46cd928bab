// Names in the order of their bytes, whatever they have in common.
import { expect, test } from 'vitest';
import { sortNames } from '../../../src/disk/sort-names.ts';

/** Numbers below 1, the same in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Names of few different bytes, so that many begin alike, end early or are equal. */
function namesOf(count: number, random: () => number): string[] {
  const bytes = ['a', 'b', '.', '\x01', '\x7f', '\x80', '\xff'];
  const prefix = random() < 0.5 ? '' : 'lib\xffx'.slice(0, Math.floor(random() * 6));
  return Array.from({ length: count }, () => {
    const length = 1 + Math.floor(random() * 9);
    return prefix + Array.from({ length }, () => bytes[Math.floor(random() * bytes.length)]).join('');
  });
}

test.each([0, 1, 63, 64, 65, 700, 5000])('%i names come in the order of their bytes', (count) => {
  const random = randomFrom(count + 1);
  for (let round = 0; round < 20; round += 1) {
    const names = namesOf(count, random);
    expect(sortNames([...names])).toEqual([...names].sort());
  }
});

test('names that differ only behind the key are in order, too', () => {
  const random = randomFrom(7);
  const names = Array.from({ length: 500 }, () => `x${'0'.repeat(10)}${Math.floor(random() * 1e6)}`);
  const others = [...names, 'x', 'y', `x${'0'.repeat(10)}`];
  expect(sortNames([...others])).toEqual([...others].sort());
});

test('more names than a key has room for the index of', () => {
  const names = Array.from({ length: 2 ** 16 + 1 }, (_, index) => `n${(index * 48_271) % 65_537}`);
  for (const count of [2 ** 16, 2 ** 16 + 1]) {
    const some = names.slice(0, count);
    expect(sortNames([...some])).toEqual([...some].sort());
  }
});
