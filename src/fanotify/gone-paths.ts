// Where objects were that no longer can be asked: after `rm -rf` only the handle is left of the directory in which a file was
// deleted. Other events name it (they have its parent, its name and its handle), or it was seen shortly before.
import { type BytePath, joinPath } from '../domain/path.ts';
import { FAN_ONDIR } from './abi.ts';
import { decodeEvents, type FileId } from './decode.ts';

/** Paths that are remembered; a tree that is removed has as many directories in a few reads. */
const KNOWN_MAX = 16_384;
/** Levels of a removed tree that are followed upwards. */
const DEPTH_MAX = 256;

interface Place {
  readonly parent: string;
  readonly name: BytePath;
  readonly isDirectory: boolean;
}

type Paths = readonly BytePath[];
type ByKey<T> = ReadonlyMap<string, T>;

export function keyOf({ fsid, handle }: FileId): string {
  return fsid + handle;
}

/** Lives as long as its stream, and is told of each read in turn. */
export class GonePaths {
  readonly #known = new Map<string, Paths>();

  /**
   * `found`: what the handles in these events stand for at present; the paths of those that stand for nothing any more are
   * returned, if they can be told.
   */
  pathsOf(buffer: Buffer, length: number, found: ByKey<Paths>): Map<string, Paths> {
    const gone = new Map<string, Paths>();
    const isComplete = [...found.values()].every((paths) => paths.length > 0);
    // A directory's own events come before those of what is in it, maybe in an earlier read; files only matter right now.
    const places = placesIn(buffer, length, isComplete ? FAN_ONDIR : 0);
    for (const [key, paths] of found) {
      const last = paths.length > 0 ? paths : this.#last(key, found, places, DEPTH_MAX);
      if (last.length === 0) continue;
      if (last !== paths) gone.set(key, last);
      this.#remember(key, last);
    }
    for (const [key, { isDirectory }] of places)
      if (isDirectory) this.#remember(key, this.#last(key, found, places, DEPTH_MAX));
    return gone;
  }

  #last(key: string, found: ByKey<Paths>, places: ByKey<Place>, depth: number): Paths {
    const present = found.get(key) ?? [];
    if (present.length > 0 || depth === 0) return present;
    const place = places.get(key);
    if (place === undefined) return this.#known.get(key) ?? [];
    return this.#last(place.parent, found, places, depth - 1).map((dir) => joinPath(dir, place.name));
  }

  /** The oldest is forgotten first. */
  #remember(key: string, paths: Paths): void {
    if (paths.length === 0) return;
    this.#known.delete(key);
    this.#known.set(key, paths);
    if (this.#known.size <= KNOWN_MAX) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}

/** What whole events (see `measureEvents`) with all bits of `wanted` say of the names of their objects: the last word counts. */
function placesIn(buffer: Buffer, length: number, wanted: number): Map<string, Place> {
  const places = new Map<string, Place>();
  for (let at = 0; at < length; ) {
    const end = at + buffer.readUInt32LE(at);
    if ((buffer.readUInt32LE(at + 8) & wanted) === wanted) learn(places, buffer.subarray(at, end));
    at = end;
  }
  return places;
}

function learn(places: Map<string, Place>, bytes: Buffer): void {
  for (const { mask, records } of decodeEvents(bytes)) {
    const own = records.find((record) => record.kind === 'fid');
    const named = records.findLast((record) => record.kind === 'dirFidName' || record.kind === 'newDirFidName');
    if (own === undefined || named === undefined || !('name' in named) || !('handle' in own)) continue;
    const isDirectory = (mask & FAN_ONDIR) !== 0;
    if (named.name !== '.') places.set(keyOf(own), { parent: keyOf(named), name: named.name, isDirectory });
  }
}
