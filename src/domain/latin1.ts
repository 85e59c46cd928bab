// Strings with one character per byte, into memory.

/** What is longer is cheaper with a call into Node. */
const LOOP_MAX = 80;

/** Writes `text` at `at`; returns how many bytes that are. There must be room. */
export function writeLatin1(bytes: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > LOOP_MAX) return bytes.write(text, at, 'latin1');
  for (let index = 0; index < length; index += 1) bytes[at + index] = text.charCodeAt(index);
  return length;
}
