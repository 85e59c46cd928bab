// Directories that the baseline has for nothing but what is in them: a file was accepted and the new directory around it was
// not. Without one, nobody would come by when the directory goes, and the file would be gone without a word.
import type { Entry } from './entry.ts';
import { recordIncomplete } from './packed.ts';
import type { BytePath } from './path.ts';

/** In `incomplete`, where no errno and not `UNSTABLE` can be; so nothing on a disk is ever equal to it. */
const STAND_IN = 0xfe;

export function standIn(path: BytePath): Entry {
  return {
    path,
    type: 'directory',
    mode: 0,
    uid: 0,
    gid: 0,
    sizeBytes: 0n,
    mtimeNs: 0n,
    ctimeNs: 0n,
    inode: 0n,
    nlink: 0,
    rdev: { major: 0, minor: 0 },
    target: undefined,
    digest: undefined,
    xattrs: [],
    flags: 0,
    incomplete: STAND_IN,
  };
}

/** Nothing is known of it: what is found in its place is added. */
export function isStandIn(entry: Entry | undefined): boolean {
  return entry?.incomplete === STAND_IN;
}

/** The same of the packed record at `at`. */
export function isStandInRecord(run: Buffer, at: number): boolean {
  return recordIncomplete(run, at) === STAND_IN;
}
