// Paths that the reading thread found right after it read the events: a directory that is removed or renamed before the
// consumer comes to its events still has its name then.
import { SystemError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import type { FileId } from './decode.ts';
import type { FileIdPaths } from './event-paths.ts';
import { fileIdsIn } from './file-ids.ts';
import { HandlePaths } from './handles.ts';
import type { MountPoints } from './path-resolver.ts';

/** By filesystem id and handle; what is missing was not asked, what is empty has no path. */
export type EarlyPaths = ReadonlyMap<string, readonly BytePath[]>;

/** Resolves all that the events in a buffer depend on. Errors are left to the consumer, who may ask again. */
export function findEarly(buffer: Buffer, length: number, mounts: MountPoints): EarlyPaths {
  const found = new Map<string, readonly BytePath[]>();
  const handles = new HandlePaths((fsid) => mounts.get(fsid) ?? []);
  try {
    for (const { fsid, handle } of fileIdsIn(buffer, length))
      if (mounts.has(fsid)) found.set(fsid + handle, handles.pathsOf(fsid, handle));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  } finally {
    handles.close();
  }
  return found;
}

/** Early paths first, `late` for what they do not have. */
export function preferEarly(early: EarlyPaths, late: FileIdPaths): FileIdPaths {
  return {
    pathsOf: (id: FileId) => early.get(id.fsid + id.handle) ?? late.pathsOf(id),
    fileMountsOf: (id: FileId) => late.fileMountsOf(id),
  };
}
