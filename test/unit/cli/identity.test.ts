import { expect, test } from 'vitest';
import { newId } from '../../../src/cli/identity.ts';

test('identifiers of one millisecond differ, over many fillings of their pool', () => {
  const ids = Array.from({ length: 5_000 }, () => newId(1_700_000_000_000));
  expect(new Set(ids.map((id) => id.slice(10))).size).toBe(ids.length);
  expect(new Set(ids.map((id) => id.slice(0, 10)))).toEqual(new Set(['01HF7YAT00']));
});
