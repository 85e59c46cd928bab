// Which file, and in which state: statx(2) and name_to_handle_at(2) of an open descriptor.
import { AT_EMPTY_PATH, allocateMemory, STATX_BYTES, statX } from './file.ts';
import { cString, declare } from './native.ts';

const nameToHandle = declare<(dirFd: number, path: Buffer, handle: Buffer, mountId: Buffer, flags: number) => number>(
  'int name_to_handle_at(int dirfd, const void *path, void *handle, void *mount_id, int flags)',
);

/** linux/fcntl.h: no request to a server; its attributes were fetched when the descriptor was opened. */
const AT_STATX_DONT_SYNC = 0x4000;

/** MAX_HANDLE_SZ of name_to_handle_at(2), and the header of struct file_handle: u32 handle_bytes, s32 handle_type. */
const HANDLE_MAX_BYTES = 128;
const HANDLE_HEADER_BYTES = 8;

/** struct statx: inode and size together, times (s64 seconds, u32 nanoseconds), device. */
const INODE_AT = 0x20;
const CTIME_AT = 0x60;
const MTIME_AT = 0x70;
const DEVICE_AT = 0x88;

/** Two changes within one tick of the kernel's clock (HZ=100 is 10 ms) can have the same time. */
const TICK_MS = 20;
/** Filesystems that keep whole seconds (ext4 with small inodes), or two (FAT). */
const COARSE_TICK_MS = 2_100;

const EMPTY = cString('');
const statx = allocateMemory(STATX_BYTES);
const emptyPath = allocateMemory(1);
const handle = Buffer.alloc(HANDLE_HEADER_BYTES + HANDLE_MAX_BYTES);
const mountId = Buffer.alloc(4);

export interface FileState {
  /** Equal for the same object with the same content: device, inode, handle, size, mtime and ctime. */
  readonly key: string;
  /** False while a further change could leave the times as they are. */
  readonly isSettled: boolean;
}

/** ctime is in it because mtime can be set back (utimensat(2)). Undefined when the file cannot be looked at. */
export function stateOfFd(fd: number): FileState | undefined {
  if (statX(fd, emptyPath.address, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, statx.address) < 0) return undefined;
  const { bytes } = statx;
  const at = (from: number, length: number): string => bytes.toString('latin1', from, from + length);
  const key = `${at(DEVICE_AT, 8)}${at(INODE_AT, 16)}${at(MTIME_AT, 12)}${at(CTIME_AT, 12)}${handleOfFd(fd)}`;
  return { key, isSettled: isSettled(bytes) };
}

function isSettled(bytes: Buffer): boolean {
  const changedMs = Number(bytes.readBigInt64LE(CTIME_AT)) * 1000 + bytes.readUInt32LE(CTIME_AT + 8) / 1e6;
  const isCoarse = bytes.readUInt32LE(CTIME_AT + 8) === 0 && bytes.readUInt32LE(MTIME_AT + 8) === 0;
  return Date.now() - changedMs > (isCoarse ? COARSE_TICK_MS : TICK_MS);
}

/** Nothing where the filesystem has no handles; its inode number has to do. */
function handleOfFd(fd: number): string {
  handle.writeUInt32LE(HANDLE_MAX_BYTES, 0);
  if (nameToHandle(fd, EMPTY, handle, mountId, AT_EMPTY_PATH) === -1) return '';
  return handle.toString('latin1', 4, HANDLE_HEADER_BYTES + handle.readUInt32LE(0));
}
