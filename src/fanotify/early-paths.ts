// Paths that the reading thread found right after it read the events: a directory that is removed or renamed before the
// consumer comes to its events still has its name then.
import { SystemError } from '../domain/errors.ts';
import type { BytePath } from '../domain/path.ts';
import type { FileId } from './decode.ts';
import type { FileIdPaths } from './event-paths.ts';
import { fileIdsIn } from './file-ids.ts';
import { GonePaths, keyOf } from './gone-paths.ts';
import { HandlePaths } from './handles.ts';
import type { MountPoints } from './path-resolver.ts';

/** By filesystem id and handle; what is missing in both was not asked. */
export interface EarlyPaths {
  /** At present; empty when there is no path. */
  readonly found: ReadonlyMap<string, readonly BytePath[]>;
  /** Where the others were, if that can be told. */
  readonly gone: ReadonlyMap<string, readonly BytePath[]>;
}

/**
 * Resolves what the events of each read depend on, for the life of one stream. Looking up opens the mounts, which are events
 * themselves where that is marked: those, which are of this process and of a mount's own directory, are answered without
 * another look, or the stream would feed itself for ever.
 */
export class EarlyFinder {
  readonly #memory = new GonePaths();
  #mounts: MountPoints = new Map();
  /** Paths of the mounts' own directories by their handles, which are the mounts' paths whatever happens below. */
  #own = new Map<string, readonly BytePath[]>();

  set mounts(mounts: MountPoints) {
    this.#mounts = mounts;
    this.#own.clear();
  }

  /** Errors are left to the consumer, who may ask again. */
  find(buffer: Buffer, length: number): EarlyPaths {
    const ids = fileIdsIn(buffer, length).filter(({ fsid }) => this.#mounts.has(fsid));
    const isEcho = isAllOf(process.pid, buffer, length) && ids.every((id) => this.#own.has(keyOf(id)));
    const found = isEcho ? new Map(ids.map((id) => [keyOf(id), this.#own.get(keyOf(id)) ?? []])) : this.#look(ids);
    return { found, gone: this.#memory.pathsOf(buffer, length, found) };
  }

  #look(ids: readonly FileId[]): Map<string, readonly BytePath[]> {
    const found = new Map<string, readonly BytePath[]>();
    const handles = new HandlePaths((fsid) => this.#mounts.get(fsid) ?? []);
    try {
      for (const id of ids) {
        const paths = handles.pathsOf(id.fsid, id.handle);
        found.set(keyOf(id), paths);
        const mounts = this.#mounts.get(id.fsid) ?? [];
        if (paths.length > 0 && paths.every((path) => mounts.some((mount) => mount.path === path)))
          this.#own.set(keyOf(id), paths);
      }
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    } finally {
      handles.close();
    }
    return found;
  }
}

/** Whether all events are of this process. */
function isAllOf(pid: number, buffer: Buffer, length: number): boolean {
  for (let at = 0; at < length; at += buffer.readUInt32LE(at)) if (buffer.readInt32LE(at + 20) !== pid) return false;
  return true;
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
