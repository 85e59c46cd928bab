import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ulid } from '../../../src/domain/ulid.ts';

test('ulid sorts by time and has 26 digits', () => {
  const low = ulid(1_469_918_176_385, new Uint8Array(10));
  const high = ulid(1_469_918_176_386, new Uint8Array(10).fill(255));
  expect(low).toBe('01ARYZ6S410000000000000000');
  expect(high).toMatch(/^01ARYZ6S42[0-9A-HJKMNP-TV-Z]{16}$/);
  expect(low < high).toBe(true);
});

test('its digits are those of the number that its bits are', () => {
  const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  fc.assert(
    fc.property(
      fc.nat(2 ** 31).map((n) => n * 100_000),
      fc.uint8Array({ minLength: 10, maxLength: 10 }),
      (timeMs, random) => {
        const value = [...ulid(timeMs, random)].reduce((sum, digit) => sum * 32n + BigInt(base32.indexOf(digit)), 0n);
        expect(value).toBe(random.reduce((sum, byte) => sum * 256n + BigInt(byte), BigInt(timeMs)));
      },
    ),
  );
});
