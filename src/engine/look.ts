// Dirty paths to what became of them, without a baseline: read the state of what is in doubt, and compare it with what was
// seen the last time.
import type { Dirty } from '../domain/dirty.ts';
import { incompleteText, UNSTABLE } from '../domain/entry.ts';
import { escapePath } from '../domain/escape.ts';
import { gather } from '../domain/gather.ts';
import { recordCtimeNs, recordIncomplete, recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, hasAncestorIn, joinPath, nameOf, outermostPaths } from '../domain/path.ts';
import { printOf, recordIsDirectory } from '../domain/print.ts';
import { rootsFor, type Scope } from '../domain/rule.ts';
import type { Hash } from '../domain/seal.ts';
import type { Disk, Page } from './ports/disk.ts';
import type { Reporter } from './ports/reporter.ts';
import type { Seen } from './seen.ts';

export interface LookParts {
  readonly disk: Disk;
  readonly scope: Scope;
  readonly seen: Seen;
  readonly hash: Hash;
  readonly reporter: Reporter;
}

export interface Looked {
  /** What came, went or is another than before; of a directory that came or went everything in it, too. */
  readonly changed: ReadonlySet<BytePath>;
  /** Written to again and again while it was read: to be looked at again. */
  readonly unstable: readonly BytePath[];
  /** ctime of what was read by its name; of what is not there it is missing. */
  readonly ctimes: ReadonlyMap<BytePath, bigint>;
}

/** How many directories are read at the same time. */
const READS = 16;

export async function look(parts: LookParts, dirty: readonly Dirty[]): Promise<Looked> {
  const { disk, scope } = parts;
  const found = { changed: new Set<BytePath>(), unstable: [] as BytePath[], ctimes: new Map<BytePath, bigint>() };
  const trees = new Set(dirty.filter(({ subtree }) => subtree).map(({ path }) => path));
  const single = dirty.map(({ path }) => path).filter((path) => !trees.has(path) && !hasAncestorIn(path, trees));
  const names = [...gather(single, dirOf)];
  while (names.length > 0) {
    const pages = await Promise.all(names.splice(0, READS).map(([dir, paths]) => disk.read(dir, paths.map(nameOf))));
    for (const page of pages) {
      for (const at of recordOffsets(page.records)) {
        found.ctimes.set(joinPath(page.dir, recordName(page.records, at)), recordCtimeNs(page.records, at));
      }
      for (const grown of takePage(parts, page, found)) trees.add(grown);
    }
  }
  const roots = outermostPaths([...trees].flatMap((tree) => rootsFor(scope, tree)));
  if (roots.length === 0) return found;
  for await (const page of disk.walk(roots)) takePage(parts, page, found);
  return found;
}

interface Found {
  readonly changed: Set<BytePath>;
  readonly unstable: BytePath[];
}

/** Returns directories that nobody knew: what is in them has to be looked at, too. */
function takePage({ seen, scope, hash, reporter }: LookParts, page: Page, found: Found): BytePath[] {
  const { dir, extent, records } = page;
  if (page.failed !== 0) {
    reporter.problem(`cannot read ${escapePath(dir)}: ${incompleteText(page.failed)}`);
    for (const name of extent.kind === 'names' ? extent.names : []) found.changed.add(joinPath(dir, name));
    return [];
  }
  const grown: BytePath[] = [];
  const present = new Set<BytePath>();
  for (const at of recordOffsets(records)) {
    const path = joinPath(dir, recordName(records, at));
    present.add(nameOf(path));
    const isDirectory = recordIsDirectory(records, at);
    // What was in a directory went with it.
    if (!isDirectory && seen.hasNames(path)) for (const gone of seen.drop(path)) found.changed.add(gone);
    if (isDirectory && seen.isComplete && !seen.has(path)) grown.push(path);
    if (recordIncomplete(records, at) === UNSTABLE) found.unstable.push(path);
    else if (seen.note(path, printOf(hash, records, at))) found.changed.add(path);
  }
  for (const name of extent.kind === 'names' ? extent.names : seen.namesIn(dir)) {
    const isMissing = !present.has(name) && isIn(extent, name) && scope.ruleOf(joinPath(dir, name)) !== undefined;
    if (isMissing) takeMissing(seen, joinPath(dir, name), found, extent.kind === 'names');
  }
  return grown;
}

function isIn(extent: Page['extent'], name: BytePath): boolean {
  if (extent.kind === 'names') return true;
  const { after, upTo } = extent;
  return (after === undefined || name > after) && (upTo === undefined || name <= upTo);
}

/** Where everything is known, what nobody knew came and went between two looks. */
function takeMissing(seen: Seen, path: BytePath, { changed }: Found, wasNamed: boolean): void {
  const gone = seen.drop(path);
  for (const one of gone) changed.add(one);
  if (gone.length === 0 && wasNamed && !seen.isComplete) changed.add(path);
}
