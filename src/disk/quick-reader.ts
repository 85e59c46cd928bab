// A directory of `check --quick`: the stat of each of its names under the quick seals of the baseline (domain/quick-seal.ts),
// without a record, or anything that would have to be opened.
import { writeLatin1 } from '../domain/latin1.ts';
import type { BytePath } from '../domain/path.ts';
import { HAS_DIGEST, paddedLength, QUICK_FIXED_BYTES } from '../domain/quick-seal.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import type { QuickPages, SealTable } from '../domain/seal-table.ts';
import { allocateMemory, closeFd, type Memory } from '../libc/file.ts';
import { allocateStat, type Stat, statName, WORD } from '../libc/statx.ts';
import type { DigestEngine } from './digest.ts';
import { listNames, openDirectory } from './directory.ts';
import type { Needs } from './entry-reader.ts';
import type { Meter } from './meter.ts';
import type { RuleNeeds } from './needs.ts';
import type { Work } from './protocol.ts';
import { ruleFinder } from './rule-finder.ts';
import { statFormat, statMode, writeTimeNs } from './stat.ts';

export interface QuickReader {
  /**
   * Reads a directory that is a `list`. Undefined when it is not, or cannot be shown to be, as in the baseline; otherwise how
   * many entries it has. `onDirectory` is told of each directory in it, whose stat is in `stat` then; what it was told counts
   * only when there is a result.
   */
  read(work: Work, table: SealTable, onDirectory: OnDirectory): number | undefined;
  readonly stat: Stat;
}

export type OnDirectory = (fd: number, name: string, rule: Rule) => void;

/** A directory with more names is for several workers. */
const NAMES_MAX = 65_536;
const FIRST_BYTES = 64 * 1024;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;

export interface QuickParts {
  readonly scope: Scope;
  readonly rules: ReadonlyMap<Rule, RuleNeeds>;
  readonly engine: DigestEngine;
  readonly meter: Meter;
}

export function createQuickReader({ scope, rules, engine, meter }: QuickParts): QuickReader {
  const stat = allocateStat();
  let into = viewsOf(FIRST_BYTES);

  const readOpen = (work: Work, fd: number, pages: QuickPages, onDirectory: OnDirectory): number | undefined => {
    const names = listNames(fd);
    if (typeof names === 'number' || names.length > NAMES_MAX || names.length < pages.entries) return undefined;
    const ruleOf = ruleFinder(scope, work);
    let [end, page, inPage, entries] = [start(work.dir), 0, 0, 0];
    for (const text of names) {
      const rule = ruleOf(text);
      const wanted = rule && rules.get(rule);
      if (rule === undefined || wanted === undefined) continue;
      if (page === pages.pages) return undefined;
      meter.entry(text);
      end = add(fd, text, end, wanted.needs);
      if (end < 0) return undefined;
      if (statFormat(stat) === S_IFDIR) onDirectory(fd, text, rule);
      entries += 1;
      inPage += 1;
      if (inPage < pages.entriesOf(page)) continue;
      if (!pages.isSame(page, engine.digest(into.bytes.subarray(0, end)))) return undefined;
      [end, page, inPage] = [start(work.dir), page + 1, 0];
    }
    return page === pages.pages ? entries : undefined;
  };

  /** Writes the directory; returns where its entries begin. */
  const start = (dir: BytePath): number => {
    reserve(0, dir.length + 8);
    const end = paddedLength(dir.length);
    into.bytes.fill(0, dir.length, end);
    into.bytes.write(dir, 'latin1');
    return end;
  };

  /** Writes an entry; returns the end, or -1 when it cannot be trusted. */
  const add = (fd: number, name: string, at: number, { digest, flags }: Needs): number => {
    const length = paddedLength(name.length);
    reserve(at, QUICK_FIXED_BYTES + length);
    const { bytes, u32, address } = into;
    const nameAt = at + QUICK_FIXED_BYTES;
    const end = nameAt + length;
    // The NULs before the name, which overwrites those that are not behind it.
    u32[(end - 8) >> 2] = 0;
    u32[(end - 4) >> 2] = 0;
    writeLatin1(bytes, nameAt, name);
    if (statName(stat, fd, address + nameAt) !== 0) return -1;
    const isFile = statFormat(stat) === S_IFREG;
    // Whether the flags of a file without a digest were read is not known.
    if (isFile && flags && !digest) return -1;
    const w = at >> 2;
    u32[w] = isFile && digest ? statMode(stat) | HAS_DIGEST : statMode(stat);
    u32[w + 1] = stat.u32[WORD.uid] ?? 0;
    u32[w + 2] = stat.u32[WORD.gid] ?? 0;
    u32[w + 3] = name.length;
    u32[w + 4] = stat.u32[WORD.ino] ?? 0;
    u32[w + 5] = stat.u32[WORD.ino + 1] ?? 0;
    u32[w + 6] = stat.u32[WORD.size] ?? 0;
    u32[w + 7] = stat.u32[WORD.size + 1] ?? 0;
    writeTimeNs(stat, WORD.mtime, u32, w + 8);
    writeTimeNs(stat, WORD.ctime, u32, w + 10);
    return end;
  };

  const reserve = (at: number, length: number): void => {
    if (at + length <= into.bytes.length) return;
    const larger = viewsOf(2 ** Math.ceil(Math.log2(at + length)));
    larger.bytes.set(into.bytes.subarray(0, at));
    into = larger;
  };

  return {
    stat,
    read: (work, table, onDirectory) => {
      const pages = table.quickPages(work.dir);
      if (pages === undefined) return undefined;
      const fd = openDirectory(work.dir);
      if (fd < 0) return undefined;
      try {
        return readOpen(work, fd, pages, onDirectory);
      } finally {
        closeFd(fd);
      }
    },
  };
}

interface Views extends Memory {
  readonly u32: Uint32Array;
}

function viewsOf(lengthBytes: number): Views {
  const { bytes, address } = allocateMemory(lengthBytes);
  return {
    bytes,
    address,
    u32: new Uint32Array(bytes.buffer, bytes.byteOffset, lengthBytes / 4),
  };
}
