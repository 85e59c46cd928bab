// Entries for tests: what is not said is that of an ordinary small file.
import { createHash } from 'node:crypto';
import type { Digest, Entry } from '../../src/domain/entry.ts';
import { type BytePath, pathFromText } from '../../src/domain/path.ts';

export function entry(path: string, fields: Partial<Omit<Entry, 'path'>> = {}): Entry {
  const isDirectory = fields.type === 'directory';
  return {
    path: pathFromText(path),
    type: 'file',
    mode: isDirectory ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 3n,
    mtimeNs: 1_000_000_000n,
    ctimeNs: 1_000_000_000n,
    inode: 42n,
    nlink: 1,
    rdev: { major: 0, minor: 0 },
    target: undefined,
    digest: isDirectory ? undefined : digestOf('abc'),
    xattrs: [],
    flags: 0,
    incomplete: 0,
    ...fields,
  };
}

/** Any 32 bytes that follow from the content will do. */
export function digestOf(content: string): Digest {
  return { algorithm: 'blake3', value: new Uint8Array(createHash('sha256').update(content).digest()) };
}

export function path(text: string): BytePath {
  return pathFromText(text);
}
