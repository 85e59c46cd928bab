// The inode inside a file handle, where its layout is known: no system call, so it can be asked for every event.
import { inodeKeyOf } from '../domain/inode-table.ts';

/** handle_bytes and handle_type of struct file_handle: open_by_handle_at(2). */
const TYPE_AT = 4;
const F_HANDLE_AT = 8;

/** fid_type of include/linux/exportfs.h. */
const FILEID_INO32_GEN = 0x01;
const FILEID_BTRFS_WITHOUT_PARENT = 0x4d;
/** FILEID_INO32_GEN and XFS_FILEID_TYPE_64FLAG of fs/xfs/xfs_export.h; the same number as FILEID_INO64_GEN. */
const FILEID_XFS_64 = 0x81;

/**
 * The `inodeKey` of domain/inode-table.ts. `handle`: struct file_handle, one character per byte. Undefined for layouts that are
 * not known here; it is a hint, because a filesystem may have a layout of its own under somebody else's number.
 */
export function inodeKeyOfHandle(handle: string): number | undefined {
  const bytes = handle.length - F_HANDLE_AT;
  switch (u32(handle, TYPE_AT)) {
    case FILEID_INO32_GEN:
      // ext4 and most others: inode, generation. tmpfs (shmem_encode_fh): generation, inode, its upper half.
      if (bytes === 8) return u32(handle, F_HANDLE_AT);
      return bytes === 12 ? key64(handle, F_HANDLE_AT + 4) : undefined;
    case FILEID_XFS_64:
      return bytes === 12 ? key64(handle, F_HANDLE_AT) : undefined;
    case FILEID_BTRFS_WITHOUT_PARENT:
      return bytes === 20 ? key64(handle, F_HANDLE_AT) : undefined;
    default:
      return undefined;
  }
}

function key64(text: string, at: number): number {
  return inodeKeyOf(u32(text, at), u32(text, at + 4));
}

function u32(text: string, at: number): number {
  return (
    (text.charCodeAt(at) |
      (text.charCodeAt(at + 1) << 8) |
      (text.charCodeAt(at + 2) << 16) |
      (text.charCodeAt(at + 3) << 24)) >>>
    0
  );
}
