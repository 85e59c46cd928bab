// What is known of one path.
import { errnoName } from './errors.ts';
import type { BytePath } from './path.ts';

export type FileType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';

/** An extended attribute; ACLs, capabilities and security labels are extended attributes too (xattr(7), acl(5)). */
export interface Xattr {
  /** One character per byte. */
  readonly name: string;
  /** At most `XATTR_VALUE_MAX` bytes; a longer value is represented by its BLAKE3 digest. */
  readonly value: Uint8Array;
}

export interface Entry {
  readonly path: BytePath;
  readonly type: FileType;
  /** Permission bits, set-id and sticky bits: 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: bigint;
  /** Nanoseconds since the epoch; negative before 1970. */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
  readonly nlink: number;
  /** Of a device: its number. */
  readonly rdev: { readonly major: number; readonly minor: number };
  /** Of a symbolic link: what it points to. */
  readonly target: BytePath | undefined;
  /** Of a file whose rule asks for it. */
  readonly digest: Digest | undefined;
  readonly xattrs: readonly Xattr[];
  /** Inode flags of chattr(1): FS_IOC_GETFLAGS of ioctl_iflags(2), user-visible bits. */
  readonly flags: number;
  /** Why something of this entry could not be read: an errno number, or `UNSTABLE`; 0 when all was read. */
  readonly incomplete: number;
  /** It had changed so shortly before it was read that one more change could leave its times as they are: they prove nothing. */
  readonly isUnsettled?: boolean;
}

/** True when statx(2) itself failed: nothing is known but that the name exists (no inode has the number 0). */
export function isUnknown({ incomplete, inode }: Entry): boolean {
  return incomplete !== 0 && inode === 0n;
}

/** The content kept changing while it was read: three tries saw three states. */
export const UNSTABLE = 0xff;

/** The name of an `incomplete` number: 'EACCES', 'UNSTABLE'. */
export function incompleteText(incomplete: number): string {
  return incomplete === UNSTABLE ? 'UNSTABLE' : errnoName(incomplete);
}

/**
 * How a digest was made. `blake3`: BLAKE3 over the content. `sparse`: for files of `SPARSE_DIGEST_FROM` bytes and more,
 * BLAKE3 over the size and every 64 KiB block that is not all zeros with its offset, so that a hole of 1 TiB costs nothing.
 * It depends on content alone, not on where the holes are.
 */
export interface Digest {
  readonly algorithm: 'blake3' | 'sparse';
  /** 32 bytes. */
  readonly value: Uint8Array;
}

/** 4 GiB: of a hole so large that is a second of a worker's time, which a drift behind it would have to wait. */
export const SPARSE_DIGEST_FROM = 4n * 1024n ** 3n;
export const XATTR_VALUE_MAX = 256;

/** 64 hexadecimal digits; `sparse:` in front where the digest is not that of b3sum(1). */
export function digestText(digest: Digest): string {
  const hex = Buffer.from(digest.value).toString('hex');
  return digest.algorithm === 'sparse' ? `sparse:${hex}` : hex;
}

/** The other way round; undefined of what is none. */
export function digestOfText(text: string): Digest | undefined {
  const [, sparse, hex] = /^(sparse:)?([0-9a-f]{64})$/.exec(text) ?? [];
  if (hex === undefined) return undefined;
  return { algorithm: sparse === undefined ? 'blake3' : 'sparse', value: Buffer.from(hex, 'hex') };
}
