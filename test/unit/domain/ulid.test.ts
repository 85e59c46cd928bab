import { expect, test } from 'vitest';
import { ulid } from '../../../src/domain/ulid.ts';

test('ulid sorts by time and has 26 digits', () => {
  const low = ulid(1_469_918_176_385, new Uint8Array(10));
  const high = ulid(1_469_918_176_386, new Uint8Array(10).fill(255));
  expect(low).toBe('01ARYZ6S410000000000000000');
  expect(high).toMatch(/^01ARYZ6S42[0-9A-HJKMNP-TV-Z]{16}$/);
  expect(low < high).toBe(true);
});
