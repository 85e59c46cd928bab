// Extended attributes in a packed record: for each, sorted by name: u16 name length, u16 value length, name, value.
import type { Xattr } from './entry.ts';

const NO_BYTES = new Uint8Array(0);

/** Sorted by name; a run of records needs this so that equal sets give equal bytes. */
export function packXattrs(xattrs: readonly Xattr[]): Uint8Array {
  if (xattrs.length === 0) return NO_BYTES;
  const sorted = [...xattrs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = sorted.flatMap(({ name, value }) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(name.length, 0);
    head.writeUInt16LE(value.length, 2);
    return [head, Buffer.from(name, 'latin1'), value];
  });
  return Buffer.concat(parts);
}

export function unpackXattrs(packed: Buffer): Xattr[] {
  const xattrs: Xattr[] = [];
  for (let at = 0; at + 4 <= packed.length; ) {
    const nameEnd = at + 4 + packed.readUInt16LE(at);
    const valueEnd = nameEnd + packed.readUInt16LE(at + 2);
    xattrs.push({ name: packed.toString('latin1', at + 4, nameEnd), value: packed.subarray(nameEnd, valueEnd) });
    at = valueEnd;
  }
  return xattrs;
}
