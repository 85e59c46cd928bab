// Paths that the reading thread found right after it read the events: a directory that is removed or renamed before the
// consumer comes to its events still has its name then.
import { SystemError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import type { FileId } from './decode.ts';
import type { FileIdPaths } from './event-paths.ts';
import { fileIdsIn } from './file-ids.ts';
import { type GonePaths, keyOf } from './gone-paths.ts';
import { HandlePaths } from './handles.ts';
import type { MountPoints } from './path-resolver.ts';

/** By filesystem id and handle; what is missing in both was not asked. */
export interface EarlyPaths {
  /** At present; empty when there is no path. */
  readonly found: ReadonlyMap<string, readonly BytePath[]>;
  /** Where the others were, if that can be told. */
  readonly gone: ReadonlyMap<string, readonly BytePath[]>;
}

/** Resolves all that the events in a buffer depend on. Errors are left to the consumer, who may ask again. */
export function findEarly(buffer: Buffer, length: number, mounts: MountPoints, memory: GonePaths): EarlyPaths {
  const found = new Map<string, readonly BytePath[]>();
  const handles = new HandlePaths((fsid) => mounts.get(fsid) ?? []);
  try {
    for (const id of fileIdsIn(buffer, length))
      if (mounts.has(id.fsid)) found.set(keyOf(id), handles.pathsOf(id.fsid, id.handle));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  } finally {
    handles.close();
  }
  return { found, gone: memory.pathsOf(buffer, length, found) };
}

/** Early paths first, `late` for what they do not have. */
export function preferEarly({ found, gone }: EarlyPaths, late: FileIdPaths): FileIdPaths {
  // The key is a new string each time, and a handle mostly the one of the event before (id-cache.ts).
  const memory = new Map<string, { readonly fsid: string; readonly paths: readonly BytePath[] }>();
  const pathsOf = (id: FileId): readonly BytePath[] => {
    const known = memory.get(id.handle);
    if (known !== undefined && known.fsid === id.fsid) return known.paths;
    const paths = found.get(keyOf(id));
    if (paths === undefined) return late.pathsOf(id);
    memory.set(id.handle, { fsid: id.fsid, paths });
    return paths;
  };
  return {
    pathsOf,
    lastPathsOf: (id) => gone.get(keyOf(id)) ?? [],
    fileMountsOf: (id) => late.fileMountsOf(id),
  };
}

/** Whether both say the same of the same ids. */
export function isSameEarly(a: EarlyPaths, b: EarlyPaths): boolean {
  return isSameMap(a.found, b.found) && isSameMap(a.gone, b.gone);
}

function isSameMap(a: ReadonlyMap<string, readonly BytePath[]>, b: ReadonlyMap<string, readonly BytePath[]>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, paths] of a) {
    const others = b.get(key);
    if (others === undefined || others.length !== paths.length) return false;
    if (paths.some((path, index) => path !== others[index])) return false;
  }
  return true;
}
