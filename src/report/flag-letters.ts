// Inode flags as lsattr(1) writes them; the bits are those of <linux/fs.h>, FS_*_FL.

const LETTERS: readonly (readonly [bit: number, letter: string])[] = [
  [0x0000_0001, 's'],
  [0x0000_0002, 'u'],
  [0x0000_0008, 'S'],
  [0x0001_0000, 'D'],
  [0x0000_0010, 'i'],
  [0x0000_0020, 'a'],
  [0x0000_0040, 'd'],
  [0x0000_0080, 'A'],
  [0x0000_0004, 'c'],
  [0x0000_0800, 'E'],
  [0x0000_4000, 'j'],
  [0x0000_1000, 'I'],
  [0x0000_8000, 't'],
  [0x0002_0000, 'T'],
  [0x0008_0000, 'e'],
  [0x0080_0000, 'C'],
  [0x0200_0000, 'x'],
  [0x4000_0000, 'F'],
  [0x1000_0000, 'N'],
  [0x2000_0000, 'P'],
  [0x0010_0000, 'V'],
  [0x0000_0400, 'm'],
];

/** `0x30` -> 'ia'; bits without a letter follow as `+0x100`. */
export function flagLetters(flags: number): string {
  const letters = LETTERS.filter(([bit]) => (flags & bit) !== 0);
  const rest = letters.reduce((left, [bit]) => left & ~bit, flags) >>> 0;
  return letters.map(([, letter]) => letter).join('') + (rest === 0 ? '' : `+0x${rest.toString(16)}`);
}
