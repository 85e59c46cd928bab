// A directory of its own for a test, and the disk over it.
import { execFileSync } from 'node:child_process';
import { closeSync, lstatSync, mkdtempSync, openSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type DiskOptions, type ObservedDisk, openDisk } from '../../../src/disk/disk.ts';
import { resolveAttributes } from '../../../src/domain/attribute.ts';
import type { Entry } from '../../../src/domain/entry.ts';
import { readRecord, recordOffsets } from '../../../src/domain/packed.ts';
import { type BytePath, pathFromText } from '../../../src/domain/path.ts';
import type { Rule, ScopeSettings } from '../../../src/domain/rule.ts';
import type { Disk, Page, WalkOptions } from '../../../src/engine/ports/disk.ts';
import { declare } from '../../../src/libc/native.ts';

export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'driftline-disk-'));
  // Not rmSync: it gives up on paths longer than 4096 bytes.
  onTestFinished(() => void execFileSync('rm', ['-rf', '--one-file-system', dir]));
  return dir;
}

/** Waits until what has just been written can be told from what will be written next by its times. */
export async function settle(dir: string, ms = 30): Promise<void> {
  const names = ['', ...(readdirSync(dir, { recursive: true }) as string[])];
  const newestMs = Math.max(...names.map((name) => lstatSync(join(dir, name)).ctimeMs));
  await expect.poll(() => Date.now() - newestMs, { interval: 5, timeout: 60_000 }).toBeGreaterThan(ms);
}

export interface RuleOptions extends Partial<Pick<Rule, 'exclude' | 'oneFileSystem'>> {
  readonly attributes?: readonly string[];
}

export function ruleOver(paths: readonly string[], { attributes = ['strict'], ...rest }: RuleOptions = {}): Rule {
  const set = resolveAttributes(attributes, new Map());
  if ('unknown' in set) throw new Error(`no attribute ${set.unknown}`);
  return {
    name: `rule of ${paths[0]}`,
    paths: paths.map(pathFromText),
    exclude: [],
    attributes: set,
    severity: 'normal',
    onDrift: 'report',
    hooks: [],
    oneFileSystem: false,
    ...rest,
  };
}

export function scopeOf(...rules: readonly Rule[]): ScopeSettings {
  return { rules, ignore: [], own: [] };
}

/** A disk that the end of the test closes. */
export function diskOver(scope: ScopeSettings, options: Omit<DiskOptions, 'scope'> = {}): ObservedDisk {
  const disk = openDisk({ scope, jobs: 2, ...options });
  onTestFinished(() => disk.close());
  return disk;
}

export async function walkAll(disk: Disk, root: string, options?: WalkOptions): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const page of disk.walk([pathFromText(root)], options)) pages.push(page);
  return pages;
}

export function entriesOf(pages: readonly Page[]): Map<BytePath, Entry> {
  const entries = pages.flatMap((page) =>
    [...recordOffsets(page.records)].map((at) => readRecord(page.records, at, page.dir)),
  );
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  if (byPath.size !== entries.length) throw new Error('an entry was listed twice');
  return byPath;
}

export function entryOf(entries: ReadonlyMap<BytePath, Entry>, path: string): Entry {
  const entry = entries.get(pathFromText(path));
  if (entry === undefined) throw new Error(`no entry ${path} among ${[...entries.keys()].join(' ')}`);
  return entry;
}

export function bytesReadOf(pages: readonly Page[]): number {
  return pages.reduce((sum, page) => sum + page.bytesRead, 0);
}

/** Until the end of the test, opening the file without waiting fails with EWOULDBLOCK. */
export function holdWriteLease(path: string): void {
  const fcntl = declare<(fd: number, command: number, argument: number) => number>(
    'int fcntl(int fd, int command, long argument)',
  );
  // fcntl(2): whoever holds a lease that is broken gets SIGIO.
  const onSignal = (): void => {};
  process.on('SIGIO', onSignal);
  const fd = openSync(path, 'r+');
  onTestFinished(() => {
    closeSync(fd);
    process.off('SIGIO', onSignal);
  });
  const [F_SETLEASE, F_WRLCK] = [1024, 1];
  expect(fcntl(fd, F_SETLEASE, F_WRLCK)).toBe(0);
}
