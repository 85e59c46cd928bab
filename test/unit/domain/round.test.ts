// Everything in parts: each directory in exactly one of them, and none left out, however often it is interrupted.
import { expect, test } from 'vitest';
import { pathFromText } from '../../../src/domain/path.ts';
import { hasTurn, partAfter, partsWithin, WHOLE } from '../../../src/domain/round.ts';

const DIRECTORIES = Array.from({ length: 2000 }, (_, index) => pathFromText(`/srv/${index % 40}/d${index}`));

test.each([1, 2, 7, 168])('%s parts: each directory has its turn once, and they are of like size', (parts) => {
  const turns = DIRECTORIES.map((dir) =>
    Array.from({ length: parts }, (_, part) => part).filter((part) => hasTurn({ part, parts }, dir)),
  );
  expect(turns.every((of) => of.length === 1)).toBe(true);
  const sizes = new Map<number | undefined, number>();
  for (const [part] of turns) sizes.set(part, (sizes.get(part) ?? 0) + 1);
  expect(sizes.size).toBe(parts);
  expect(Math.max(...sizes.values())).toBeLessThan((3 * DIRECTORIES.length) / parts);
});

test('as many parts as come again in time', () => {
  expect(partsWithin(undefined, 1_000)).toBe(1);
  expect(partsWithin(500, 1_000)).toBe(1);
  expect(partsWithin(1_999, 1_000)).toBe(1);
  expect(partsWithin(7_000, 1_000)).toBe(7);
  expect(partsWithin(7_999, 1_000)).toBe(7);
});

test('one after the other; other parts begin anew', () => {
  expect(partAfter(undefined, 3)).toBe(0);
  expect(partAfter({ part: 0, parts: 3 }, 3)).toBe(1);
  expect(partAfter({ part: 2, parts: 3 }, 3)).toBe(0);
  expect(partAfter({ part: 1, parts: 3 }, 4)).toBe(0);
  expect(partAfter(WHOLE, 1)).toBe(0);
});
