// Identifiers that sort by time: 48 bits of milliseconds and 80 random bits in Crockford's base 32.

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `random` supplies ten bytes. */
export function ulid(timeMs: number, random: Uint8Array): string {
  let value = BigInt(timeMs) & 0xffff_ffff_ffffn;
  for (const byte of random.subarray(0, 10)) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += DIGITS[Number((value >> shift) & 31n)];
  return text;
}
