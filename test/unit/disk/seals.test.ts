// A walk with the baseline's seals finds what a walk without them finds, and says nothing of what is unchanged.
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openHasher } from '../../../src/disk/digest.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import { hasTurn, type Round } from '../../../src/domain/round.ts';
import { compileScope } from '../../../src/domain/rule.ts';
import { createSealTableBuilder } from '../../../src/domain/seal-table.ts';
import { init } from '../../../src/engine/init.ts';
import type { Disk, Portion } from '../../../src/engine/ports/disk.ts';
import type { Store } from '../../../src/engine/ports/store.ts';
import { survey } from '../../../src/engine/survey.ts';
import { openStore } from '../../../src/sqlite/store.ts';
import { diskOver, holdWriteLease, ruleOver, scopeOf, settle, temporaryDirectory, walkAll } from './fixture.ts';

const nothing = (): void => {};

class Tree {
  readonly root = join(temporaryDirectory(), 'tree');
  readonly disk: Disk;
  readonly store: Store;

  constructor() {
    mkdirSync(this.root);
    this.disk = diskOver(scopeOf(ruleOver([this.root])));
    const path = pathFromText(join(temporaryDirectory(), 'b.db'));
    this.store = openStore({ path, mode: 'create', hash: openHasher() });
    onTestFinished(() => this.store.close());
  }

  async accept(): Promise<void> {
    await settle(this.root);
    const { signal } = new AbortController();
    const common = { onPortion: nothing, onIncomplete: nothing, record: () => '{}' };
    await init(this.disk, this.store, { roots: [pathFromText(this.root)], signal, ...common });
  }

  /** What differs, and how many entries were looked at; `sealed`: with the baseline's seals. */
  async survey(sealed: boolean, quick = false): Promise<{ found: string[]; entries: number; trusted: number }> {
    const none = createSealTableBuilder().build();
    const baseline = sealed ? this.store.baseline : { ...this.store.baseline, seals: () => none };
    const parts = { disk: this.disk, baseline, scope: compileScope(scopeOf(ruleOver([this.root]))) };
    const found: string[] = [];
    let [entries, trusted] = [0, 0];
    const onPortion = (portion: Portion): void => {
      entries += portion.entries;
      trusted += portion.trusted;
    };
    for await (const finding of survey(parts, [pathFromText(this.root)], { quick, onPortion })) {
      // What was in it is told by itself.
      if (finding.kind === 'lost') continue;
      if (finding.kind === 'incomplete') found.push(`incomplete ${finding.path}`);
      else if (finding.kind === 'removed') found.push(`removed ${finding.before.path}`);
      else found.push(`${finding.kind} ${finding.after.path}`);
    }
    return { found: found.sort(), entries, trusted };
  }

  /** How much of the content one part of a round reads, and what it finds. */
  async part(round: Round): Promise<{ found: string[]; entries: number; trusted: number; bytesRead: number }> {
    const parts = {
      disk: this.disk,
      baseline: this.store.baseline,
      scope: compileScope(scopeOf(ruleOver([this.root]))),
    };
    const found: string[] = [];
    let [entries, trusted, bytesRead] = [0, 0, 0];
    const onPortion = (portion: Portion): void => {
      entries += portion.entries;
      trusted += portion.trusted;
      bytesRead += portion.bytesRead;
    };
    for await (const finding of survey(parts, [pathFromText(this.root)], { quick: true, round, onPortion }))
      if (finding.kind === 'changed') found.push(finding.after.path);
    return { found, entries, trusted, bytesRead };
  }

  async both(): Promise<string[]> {
    const [sealed, plain] = [await this.survey(true), await this.survey(false)];
    expect(sealed).toEqual(plain);
    const [quick, compared] = [await this.survey(true, true), await this.survey(false, true)];
    expect({ ...quick, trusted: 0 }).toEqual(plain);
    // What need not be read is the same, whoever finds out.
    expect(quick).toEqual(compared);
    expect(quick.trusted).toBeGreaterThanOrEqual(plain.entries - plain.found.length - 3);
    return sealed.found;
  }

  at(name: string): string {
    return join(this.root, name);
  }

  write(name: string, text: string): void {
    mkdirSync(join(this.at(name), '..'), { recursive: true });
    writeFileSync(this.at(name), text);
  }
}

test('unchanged directories give no page and are counted', async () => {
  const tree = new Tree();
  for (let index = 0; index < 50; index += 1) tree.write(`d${index % 7}/e${index % 3}/f${index}`, `${index}`);
  await tree.accept();
  expect(await tree.both()).toEqual([]);
  const portions: Portion[] = [];
  const options = { seals: tree.store.baseline.seals(), onUnchanged: (portion: Portion) => portions.push(portion) };
  const pages = await walkAll(tree.disk, tree.root, options);
  expect(pages.map(({ extent }) => extent.kind)).toEqual(['names']);
  const sum = portions.reduce((total, { entries }) => total + entries, 0);
  expect(sum).toBe(Number(execFileSync('sh', ['-c', `find ${tree.root} -mindepth 1 | wc -l`])));
  expect(portions.reduce((total, { bytesRead }) => total + bytesRead, 0)).toBe(90);
});

test('each kind of change is found, in directories of one page and of many', async () => {
  const tree = new Tree();
  // More than one page of the baseline, and less than a worker cuts into ranges.
  for (let index = 0; index < 900; index += 1) tree.write(`many/file-${String(index).padStart(4, '0')}`, 'x');
  for (const name of ['a', 'b', 'c']) tree.write(`few/${name}`, name);
  tree.write('gone/deep/file', 'x');
  tree.write('emptied/file', 'x');
  tree.write('moved/file', 'x');
  await tree.accept();
  expect(await tree.both()).toEqual([]);

  const changes: [name: string, make: () => void, found: number][] = [
    ['the last page of many', () => execFileSync('sh', ['-c', `rm ${tree.at('many')}/file-08*`]), 100],
    ['the first page of many', () => rmSync(tree.at('many/file-0000')), 1],
    ['one in the middle', () => chmodSync(tree.at('many/file-0400'), 0o600), 1],
    ['an addition in the middle', () => tree.write('many/file-0400a', 'x'), 1],
    ['content', () => appendFileSync(tree.at('few/b'), 'more'), 1],
    ['a vanished tree', () => rmSync(tree.at('gone'), { recursive: true }), 3],
    ['an emptied directory', () => rmSync(tree.at('emptied/file')), 1],
    ['a renamed directory', () => renameSync(tree.at('moved'), tree.at('away')), 4],
  ];
  for (const [name, make, count] of changes) {
    make();
    const found = await tree.both();
    expect(found, name).toHaveLength(count);
    await tree.accept();
    expect(await tree.both(), name).toEqual([]);
  }
});

test('what could not be read is told each time', async () => {
  const tree = new Tree();
  tree.write('dir/leased', 'x');
  holdWriteLease(tree.at('dir/leased'));
  await tree.accept();
  // The same bytes as in the baseline, and still nobody knows the content.
  expect(await tree.both()).toEqual([`incomplete ${tree.at('dir/leased')}`]);
});

test('a directory whose pages are all of another one is not taken for it', () => {
  const seal = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
  const dir = Buffer.from('/dir');
  const builder = createSealTableBuilder();
  for (const [byte, isFirst] of [
    [1, true],
    [2, false],
    [3, false],
    [4, true],
    [5, true],
    [6, false],
  ] as const) {
    builder.add({ seal: seal(byte), quick: undefined, dir, isFirst, entries: 1 });
  }
  const table = builder.build();
  const known = (...bytes: number[]): boolean => table.isDirectory(bytes.map(seal));
  expect([known(1, 2, 3), known(4), known(5, 6)]).toEqual([true, true, true]);
  for (const bytes of [[], [1], [1, 2], [2, 3], [1, 2, 3, 4], [1, 3, 2], [5], [6], [5, 6, 7], [7], [4, 5, 6]]) {
    expect(known(...bytes), String(bytes)).toBe(false);
  }
  expect(
    createSealTableBuilder()
      .build()
      .isDirectory([seal(0)]),
  ).toBe(false);
});

test('a directory that begins with a large file, which is read alone, is compared as a whole', async () => {
  const tree = new Tree();
  for (const name of ['d/a-large', 'd/b', 'd/c']) tree.write(name, name);
  truncateSync(tree.at('d/a-large'), 40 * 1024 * 1024);
  await tree.accept();
  expect(await tree.both()).toEqual([]);
  appendFileSync(tree.at('d/a-large'), 'x');
  tree.write('d/c', 'D/C');
  rmSync(tree.at('d/b'));
  expect(await tree.both()).toEqual([
    `changed ${tree.at('d/a-large')}`,
    `changed ${tree.at('d/c')}`,
    `removed ${tree.at('d/b')}`,
  ]);
});

test('a round: each part reads the content of its directories and trusts the others, all of them together everything once', async () => {
  const tree = new Tree();
  // Each directory has its own size, and one has more names than a page.
  const sizes = new Map<string, number>();
  for (let index = 0; index < 40; index += 1) {
    const dir = join(tree.root, `dir-${index}`);
    mkdirSync(dir);
    const names = index === 7 ? 1500 : 3;
    for (let name = 0; name < names; name += 1) writeFileSync(join(dir, `${name}`), 'x'.repeat(index + 1));
    sizes.set(dir, names * (index + 1));
  }
  await tree.accept();
  const parts = 5;
  let [all, entries] = [0, 0];
  for (let part = 0; part < parts; part += 1) {
    const read = await tree.part({ part, parts });
    const mine = [...sizes].filter(([dir]) => hasTurn({ part, parts }, pathFromText(dir)));
    expect(read.found).toEqual([]);
    expect(read.bytesRead).toBe(mine.reduce((sum, [, size]) => sum + size, 0));
    expect(read.trusted).toBeLessThan(read.entries);
    all += read.bytesRead;
    entries = read.entries;
  }
  expect(all).toBe([...sizes.values()].reduce((sum, size) => sum + size, 0));
  expect(entries).toBe(1 + 40 + 39 * 3 + 1500);
  // What looks different is found whosever turn it is.
  const dir = [...sizes.keys()].find((path) => !hasTurn({ part: 0, parts }, pathFromText(path))) ?? '';
  appendFileSync(join(dir, '0'), 'y');
  expect((await tree.part({ part: 0, parts })).found).toEqual([join(dir, '0')]);
});
