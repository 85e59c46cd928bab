// Identifiers that sort by time: 48 bits of milliseconds and 80 random bits in Crockford's base 32.

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 48 bits and two that are zero. */
const TIME_DIGITS = 10;

/** `random` supplies ten bytes. */
export function ulid(timeMs: number, random: Uint8Array): string {
  return digits(timeMs % 2 ** 48, TIME_DIGITS) + digits(fiveBytes(random, 0), 8) + digits(fiveBytes(random, 5), 8);
}

/** 40 bits: eight digits. */
function fiveBytes(bytes: Uint8Array, from: number): number {
  return bytes.subarray(from, from + 5).reduce((value, byte) => value * 256 + byte, 0);
}

/** Of an integer below 2^53; shifts would cut it to 32 bits. */
function digits(value: number, count: number): string {
  let text = '';
  for (let left = value; text.length < count; left = Math.floor(left / 32)) text = `${DIGITS[left % 32]}${text}`;
  return text;
}
