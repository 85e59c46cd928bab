// How the state of paths is read.
import type { Digest } from '../../domain/entry.ts';
import type { BytePath } from '../../domain/path.ts';
import type { Round } from '../../domain/round.ts';
import type { SealTable } from '../../domain/seal-table.ts';

/** Part of a directory as it was read, packed (domain/packed.ts). */
export interface Page {
  readonly dir: BytePath;
  /** What the page speaks of: every name with `after` < name <= `upTo` (undefined: open end), or just the listed names. */
  readonly extent:
    | { readonly kind: 'range'; readonly after: BytePath | undefined; readonly upTo: BytePath | undefined }
    | { readonly kind: 'names'; readonly names: readonly BytePath[] };
  /** A packed run, sorted bytewise by name; names of the extent that are missing here do not exist. Owned by the receiver. */
  readonly records: Buffer;
  /** errno when the directory could not be opened or listed; then `records` is empty and nothing follows about its names. */
  readonly failed: number;
  /** Bytes of content that were hashed for this page. */
  readonly bytesRead: number;
  /** How many records come from `known`, because their stat is the same. */
  readonly trusted: number;
  /** Names that were asked for and are files with more content than was to be read; not part of the extent. */
  readonly postponed?: readonly BytePath[];
}

/** How much of a walk is done. */
export interface Portion {
  readonly entries: number;
  /** Bytes of content that were hashed. */
  readonly bytesRead: number;
  /** How many of the entries were not read, because their stat is as in the baseline. */
  readonly trusted: number;
}

/** How the state of paths is read. Only paths that the scope's rules cover ever appear. */
export interface Disk {
  /**
   * Reads the roots and everything below them. Each root comes as a `names` page of its directory; each directory below
   * as one or more `range` pages that together cover it once. A directory's pages come after the page that lists it; there
   * is no other order. A directory that vanished meanwhile gives one empty `range` page. Pages are produced only as fast
   * as they are taken. `known`, when given, returns the baseline's run of a directory: entries whose stat is unchanged
   * (isSameStat) take their digest from there instead of being read.
   */
  walk(roots: readonly BytePath[], options?: WalkOptions): AsyncIterable<Page>;
  /**
   * The present state of some names of one directory; never descends. A missing directory gives an empty page. Files with
   * more than `contentMaxBytes` to read are left for another time, and the page's `postponed` names them. Content that was
   * read under the token `appended` before, of the same file, may be taken to be as it was if the file has become longer:
   * only what was appended is read then.
   */
  read(dir: BytePath, names: readonly BytePath[], contentMaxBytes?: number, appended?: number): Promise<Page>;
  /** The digest of the first `lengthBytes` bytes of a file, or an errno when they cannot be read. */
  digestPrefix(path: BytePath, lengthBytes: bigint): Promise<Digest | { readonly errno: number }>;
  close(): Promise<void>;
}

export interface WalkOptions {
  readonly known?: (dir: BytePath, after?: BytePath, upTo?: BytePath) => Buffer;
  /**
   * The baseline's seals: a directory whose pages have these seals, and of which everything could be read, gives no page;
   * `onUnchanged` is told instead. Together with `known` their quick seals count, and `known` is asked only for the others.
   */
  readonly seals?: SealTable;
  /** Directories that have their turn in it are read as if `known` were not given. */
  readonly round?: Round;
  readonly onUnchanged?: (portion: Portion) => void;
  readonly signal?: AbortSignal;
}
