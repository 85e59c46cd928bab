// Packed records compared without decoding them.
import { recordMode } from './packed.ts';

/** `check --quick`: same inode, size, mtime, ctime, mode, owner: whoever trusts ctime need not read the content. */
export function isSameStat(a: Buffer, atA: number, b: Buffer, atB: number): boolean {
  return (
    a.compare(b, atB + 24, atB + 56, atA + 24, atA + 56) === 0 &&
    a.compare(b, atB + 12, atB + 20, atA + 12, atA + 20) === 0 &&
    recordMode(a, atA) === recordMode(b, atB)
  );
}

/** Bytewise equality of two records. */
export function isSameRecord(a: Buffer, atA: number, b: Buffer, atB: number, length: number): boolean {
  return a.compare(b, atB, atB + length, atA, atA + length) === 0;
}
