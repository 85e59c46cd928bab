// The digest of a file's beginning: whether a log that only grows still has its old content.
import { constants } from 'node:os';
import { type BytePath, dirOf, nameOf } from '../domain/path.ts';
import { allocateMemory, closeFd } from '../libc/file.ts';
import { allocateStat, statFd } from '../libc/statx.ts';
import type { Content, ContentReader } from './content.ts';
import { openDirectory } from './directory.ts';
import { openEntry } from './inode.ts';
import { statFormat } from './stat.ts';

const S_IFREG = 0o100000;
const name = allocateMemory(4096);
const stat = allocateStat();

/** EINVAL when it is no regular file, ENODATA when it is shorter. */
export function digestPrefix(content: ContentReader, path: BytePath, lengthBytes: bigint): Content {
  const dirfd = openDirectory(dirOf(path));
  if (dirfd < 0) return { kind: 'failed', errno: -dirfd };
  name.bytes[name.bytes.write(nameOf(path), 'latin1')] = 0;
  const fd = openEntry(dirfd, name.address, false);
  closeFd(dirfd);
  if (fd < 0) return { kind: 'failed', errno: -fd };
  try {
    const errno = -statFd(stat, fd);
    if (errno !== 0) return { kind: 'failed', errno };
    if (statFormat(stat) !== S_IFREG) return { kind: 'failed', errno: constants.errno.EINVAL };
    return content.digestPrefix(fd, Number(lengthBytes));
  } finally {
    closeFd(fd);
  }
}
