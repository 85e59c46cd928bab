// How single paths are read: those of a directory together, and by itself each of which only what was appended is read.
import { addTo } from '../domain/gather.ts';
import { recordCtimeNs, recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, dirOf, joinPath, nameOf } from '../domain/path.ts';
import type { Appended } from './appended.ts';
import type { Finding } from './page-diff.ts';
import type { Baseline } from './ports/store.ts';
import { findingsHere, type SurveyParts } from './survey.ts';

/** Content that takes a tenth of a second of a slow processor to read: nobody waits longer for another file. */
export const LARGE_BYTES = 64 * 1024 * 1024;

export interface ReadingNotes {
  readonly ctimes: Map<BytePath, bigint>;
  readonly postponed: Set<BytePath>;
  readonly contentMaxBytes?: number | undefined;
}

/** How many directories are read at the same time. */
const READS = 16;

/** What comparing the paths found; of a directory that is none any more not what it takes along. */
export async function readPaths(
  parts: SurveyParts & { readonly appended?: Appended },
  paths: Iterable<BytePath>,
  { ctimes, postponed, contentMaxBytes }: ReadingNotes,
): Promise<Finding[]> {
  const queue = readingsOf(paths, parts);
  const findings: Finding[] = [];
  const read = ([dir, list, token]: Reading) => parts.disk.read(dir, list, contentMaxBytes, token);
  while (queue.length > 0) {
    const pages = await Promise.all(queue.splice(0, READS).map(read));
    for (const page of pages) {
      for (const at of recordOffsets(page.records)) {
        ctimes.set(joinPath(page.dir, recordName(page.records, at)), recordCtimeNs(page.records, at));
      }
      for (const name of page.postponed ?? []) postponed.add(joinPath(page.dir, name));
      for await (const finding of findingsHere(page, parts)) {
        parts.appended?.note(finding);
        findings.push(finding);
      }
    }
  }
  return findings;
}

/** For Disk.read; `token`: its `appended`. */
type Reading = readonly [dir: BytePath, names: readonly BytePath[], token?: number];

interface TokenParts {
  readonly appended?: Appended;
  readonly baseline: Baseline;
}

/** For a file of which only what was appended is to be read. */
export function tokenFor({ appended, baseline }: TokenParts, path: BytePath): number | undefined {
  return appended?.has(path) ? appended.tokenOf(path, baseline.find(path)) : undefined;
}

function readingsOf(paths: Iterable<BytePath>, parts: TokenParts): Reading[] {
  const readings: Reading[] = [];
  const names = new Map<BytePath, BytePath[]>();
  for (const path of paths) {
    const [dir, name] = [dirOf(path), nameOf(path)];
    const token = tokenFor(parts, path);
    if (token === undefined) addTo(names, dir, name);
    else readings.push([dir, [name], token]);
  }
  return [...readings, ...names];
}
