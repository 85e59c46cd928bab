// The present state of one name of an open directory, appended to a run as a packed record.
import { constants } from 'node:os';
import { UNSTABLE } from '../domain/entry.ts';
import { writeLatin1 } from '../domain/latin1.ts';
import { recordDigest, recordIncomplete, recordIsUnsettled, recordLength, S_IFMT } from '../domain/packed.ts';
import { allocateMemory, closeFd } from '../libc/file.ts';
import { allocateStat, type Stat, statFd, statName, WORD } from '../libc/statx.ts';
import type { Content, ContentReader } from './content.ts';
import { isAbsence } from './directory.ts';
import { openEntry, readFlags, readTarget } from './inode.ts';
import { clearExtras, noExtras, type RecordWriter } from './record-writer.ts';
import { isAutomount, isLonger, isSameState, isSettled, objectKey, statFormat, statSize } from './stat.ts';
import type { XattrReader, XattrResult } from './xattrs.ts';

/** Where the baseline's record of a name begins in a run. */
export interface KnownRecord {
  readonly run: Buffer;
  readonly at: number;
}

/** What the entry's rule wants of files. */
export interface Needs {
  readonly digest: boolean;
  readonly flags: boolean;
  /** What is appended while it is read does not matter: it is as long as it was. */
  readonly grows: boolean;
}

export interface EntryReader {
  /**
   * Appends the record of `name`, unless nothing is there. `known` serves instead when nothing has changed since.
   * `directory`: one that can be listed, as far as is known; what could not be opened is incomplete, and that is told once.
   * `postponed`: nothing was appended, because the file has more than `limitBytes` to read.
   */
  read(
    dirfd: number,
    name: string,
    needs: Needs,
    known: KnownRecord | undefined,
    limitBytes?: number,
    /** Of readings that go on where the last one ended (appended.ts). */
    appended?: number,
    /** Otherwise a large file that changes while it is read is left for the next time: who hears of changes comes again. */
    isPatient?: boolean,
  ): 'absent' | 'directory' | 'other' | 'postponed';
  /** statx of the entry that was read last. */
  readonly stat: Stat;
}

const { EINVAL, ENAMETOOLONG, ENODEV, ENXIO } = constants.errno;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const TRIES = 3;
const PATIENT_MAX_BYTES = 16 * 1024 * 1024;
/** The longest name that anybody may ask for, PATH_MAX; the kernel refuses more than 255 bytes itself. */
const NAME_BYTES = 4096;
/** Room for /proc/self/fd/N/ in front of a name. */
const PATH_BYTES = NAME_BYTES + 64;

/** `digestMaxBytes`: of larger files the content is not read. */
export function createEntryReader(
  writer: RecordWriter,
  content: ContentReader,
  xattrs: XattrReader,
  digestMaxBytes: number,
): EntryReader {
  const before = allocateStat();
  const after = allocateStat();
  const name = allocateMemory(NAME_BYTES);
  const path = allocateMemory(PATH_BYTES);
  const extras = noExtras();
  let isOpenable = true;
  let token: number | undefined;
  let mayGrow = false;

  /** Reads all beside the stat; false when the object is not what the stat says, any more. */
  const readRest = (dirfd: number, text: string, needs: Needs): boolean => {
    clearExtras(extras);
    switch (statFormat(before)) {
      case S_IFREG:
        return needs.digest || needs.flags
          ? readOpened(dirfd, text, needs.digest && statSize(before) <= digestMaxBytes)
          : readUnopened(dirfd, text);
      case S_IFDIR:
        return isAutomount(before) ? readUnopened(dirfd, text) : readOpened(dirfd, text, false);
      case S_IFLNK:
        return readLink(dirfd, text);
      default:
        // Opening a FIFO blocks its writers, opening a device can do anything.
        return readUnopened(dirfd, text);
    }
  };

  const readOpened = (dirfd: number, text: string, wantsDigest: boolean): boolean => {
    const fd = openEntry(dirfd, name.address, statFormat(before) === S_IFDIR);
    if (isAbsence(-fd) || fd === -ENXIO || fd === -ENODEV) return false;
    if (fd < 0) {
      isOpenable = false;
      readUnopened(dirfd, text);
      extras.incomplete = -fd;
      return true;
    }
    const same = readFd(fd, wantsDigest);
    closeFd(fd);
    return same;
  };

  const readFd = (fd: number, wantsDigest: boolean): boolean => {
    take(xattrs.ofFd(fd));
    const flags = readFlags(fd);
    if (flags < 0) extras.incomplete = -flags;
    else extras.flags = flags;
    if (wantsDigest && !readContent(fd)) return false;
    const errno = -statFd(after, fd);
    if (errno !== 0) extras.incomplete = errno;
    // Also proves that what was opened is what the name stood for. A directory's times move with its entries: any time.
    return errno !== 0 || isSameState(before, after) || statFormat(after) === S_IFDIR || hasGrown();
  };

  const hasGrown = (): boolean => mayGrow && isLonger(before, after) && extras.digest !== undefined;

  const contentOf = (fd: number): Content => {
    const sizeBytes = statSize(before);
    if (token !== undefined) return content.digestAppended(fd, sizeBytes, objectKey(before), token);
    return mayGrow && sizeBytes > 0 ? content.digestBegin(fd, sizeBytes) : content.digest(fd, sizeBytes);
  };

  const readContent = (fd: number): boolean => {
    const result = contentOf(fd);
    if (result.kind === 'changed') return false;
    if (result.kind === 'digest') extras.digest = result.digest;
    else extras.incomplete = result.errno;
    return true;
  };

  const readLink = (dirfd: number, text: string): boolean => {
    const target = readTarget(dirfd, name.address);
    if (typeof target !== 'number') extras.target = target;
    else if (isAbsence(target) || target === EINVAL) return false;
    const done = readUnopened(dirfd, text);
    if (typeof target === 'number') extras.incomplete = target;
    return done;
  };

  const readUnopened = (dirfd: number, text: string): boolean => {
    // No listxattrat(2) before Linux 6.13; the link in /proc leads to the very directory that is open.
    path.bytes[path.bytes.write(`/proc/self/fd/${dirfd}/${text}`, 'latin1')] = 0;
    take(xattrs.ofPath(path.address));
    return true;
  };

  const take = ({ packed, errno }: XattrResult): void => {
    extras.xattrs = packed;
    // ENOENT and the like: gone since statx, or no /proc; the next event or walk tells.
    if (errno !== 0 && !isAbsence(errno)) extras.incomplete = errno;
  };

  const writeWithoutStat = (text: string, errno: number): void => {
    before.u32.fill(0);
    before.u32[WORD.mode] = S_IFREG;
    clearExtras(extras);
    extras.incomplete = errno;
    writer.write(before, text, extras);
  };

  const kindOf = (): 'directory' | 'other' => (statFormat(before) === S_IFDIR && isOpenable ? 'directory' : 'other');

  return {
    stat: before,
    read: (
      dirfd,
      text,
      needs,
      known,
      limitBytes = Number.POSITIVE_INFINITY,
      appended = undefined,
      isPatient = true,
    ) => {
      if (text.length >= NAME_BYTES) return 'absent';
      name.bytes[writeLatin1(name.bytes, 0, text)] = 0;
      let same = false;
      isOpenable = true;
      let nowMs = 0;
      token = appended;
      mayGrow = needs.grows;
      for (let tries = 0; tries < TRIES && !same; tries += 1) {
        nowMs = Date.now();
        const errno = -statName(before, dirfd, name.address);
        if (isAbsence(errno) || errno === ENAMETOOLONG) return 'absent';
        if (errno !== 0) {
          writeWithoutStat(text, errno);
          return 'other';
        }
        if (known !== undefined && isEnough(known, needs) && writer.isSame(before, known.run, known.at)) {
          writer.copy(known.run, known.at, recordLength(known.run, known.at));
          return kindOf();
        }
        if (needs.digest && statSize(before) > limitBytes && statFormat(before) === S_IFREG) return 'postponed';
        same = readRest(dirfd, text, needs);
        // What was appended since the last try is read at once.
        if (!isPatient && token === undefined && statSize(before) > PATIENT_MAX_BYTES) break;
      }
      if (!same) {
        extras.digest = undefined;
        extras.incomplete = UNSTABLE;
      }
      extras.isUnsettled = !isSettled(before, nowMs);
      writer.write(before, text, extras);
      return kindOf();
    },
  };
}

/** Whether the old record has all that would be read now. Only a file with a digest is sure to have its flags, too. */
function isEnough({ run, at }: KnownRecord, needs: Needs): boolean {
  if (recordIncomplete(run, at) !== 0 || recordIsUnsettled(run, at)) return false;
  const isFile = (run.readUInt16LE(at + 8) & S_IFMT) === S_IFREG;
  return !isFile || !(needs.digest || needs.flags) || recordDigest(run, at) !== undefined;
}
