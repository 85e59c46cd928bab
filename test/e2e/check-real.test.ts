// Copies of real trees: clean at first, then 200 changes of all kinds, which are found exactly.
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { randomOf } from '../fakes/random.ts';
import { found, system, test } from './program.ts';

const CHANGES = 200;
const SEED = Number(process.env['DRIFTLINE_SEED'] ?? 20_261_121);

interface Tree {
  readonly files: string[];
  readonly links: string[];
  /** Without a directory in them, so that what is done to one touches nothing else. */
  readonly leaves: string[];
  readonly directories: string[];
}

function look(root: string): Tree {
  const tree: Tree = { files: [], links: [], leaves: [], directories: [] };
  const visit = (directory: string): void => {
    const entries = readdirSync(directory, { withFileTypes: true });
    tree.directories.push(directory);
    if (directory !== root && entries.length > 0 && entries.every((entry) => entry.isFile()))
      tree.leaves.push(directory);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.isSymbolicLink()) tree.links.push(path);
      else if (entry.isFile() && lstatSync(path).nlink === 1 && lstatSync(path).size > 0) tree.files.push(path);
    }
  };
  visit(root);
  return tree;
}

/** What is done to a path, and the drift that follows from it. */
type Change = readonly [
  act: (path: string) => void,
  drift: (path: string, names: readonly string[]) => readonly string[],
];

const changed = (path: string): string[] => [`changed ${path}`];
const removed = (path: string): string[] => [`removed ${path}`];
const moved = (path: string): string[] => [`moved ${path} -> ${path}.moved`];
const move = (path: string): void => renameSync(path, `${path}.moved`);
const flip = (path: string, bits: number): void => chmodSync(path, (lstatSync(path).mode & 0o7777) ^ bits);

const ON_FILE: readonly Change[] = [
  [(file) => appendFileSync(file, 'x'), changed],
  [(file) => truncateSync(file, 0), changed],
  [(file) => flip(file, 0o111), changed],
  [(file) => chownSync(file, 4711, 4711), changed],
  [(file) => utimesSync(file, 1, 1), changed],
  [(file) => system('setfattr', '-n', 'user.driftline', '-v', '1', file), changed],
  [(file) => system('chattr', '+A', file), changed],
  [(file) => rmSync(file), removed],
  [move, moved],
  [(file) => linkSync(file, `${file}.linked`), (file) => [`added ${file}.linked`]],
  [(file) => writeFileSync(`${file}.new`, 'new'), (file) => [`added ${file}.new`]],
  [(file) => mkdirSync(`${file}.dir/e`, { recursive: true }), (file) => [`added ${file}.dir`, `added ${file}.dir/e`]],
  [
    (file) => {
      writeFileSync(`${file}.temporary`, 'replaced');
      renameSync(`${file}.temporary`, file);
    },
    changed,
  ],
  [
    (file) => {
      rmSync(file);
      mkdirSync(file);
      writeFileSync(join(file, 'below'), '');
    },
    (file) => [`changed ${file}`, `added ${file}/below`],
  ],
  [
    (file) => {
      rmSync(file);
      symlinkSync('/nowhere', file);
    },
    changed,
  ],
];

const ON_LINK: readonly Change[] = [
  [
    (link) => {
      const target = readlinkSync(link);
      rmSync(link);
      symlinkSync(`${target}-elsewhere`, link);
    },
    changed,
  ],
  [(link) => rmSync(link), removed],
];

const ON_LEAF: readonly Change[] = [
  [move, moved],
  [(leaf) => flip(leaf, 0o7), changed],
  [
    (leaf) => rmSync(leaf, { recursive: true }),
    (leaf, names) => [`removed ${leaf}`, ...names.map((name) => `removed ${leaf}/${name}`)],
  ],
];

test.for(['/etc', '/usr/share'])('%s', (source, { scratch }) => {
  system('cp', '-a', source, scratch.tree);
  scratch.init(scratch.tree);
  const clean = scratch.check();
  expect([clean.status, found(clean, scratch)]).toEqual([0, []]);
  expect(clean.document.entries).toBe(system('find', scratch.tree, '-printf', '.').length);

  const tree = look(scratch.tree);
  const random = randomOf(SEED);
  const touched = new Set<string>();
  /** Something that no earlier change touched, nor lies in or above what one did. */
  const pick = (from: string[]): string | undefined => {
    for (let tries = 0; tries < 100 && from.length > 0; tries += 1) {
      const path = from[random(from.length)] ?? '';
      if (touched.has(path) || touched.has(dirname(path))) continue;
      return path;
    }
    return undefined;
  };
  const expected: string[] = [];
  for (let count = 0; count < CHANGES; count += 1) {
    const kind = random(10);
    const [from, changes] =
      kind === 0 ? [tree.leaves, ON_LEAF] : kind === 1 ? [tree.links, ON_LINK] : [tree.files, ON_FILE];
    const path = pick(from);
    const change = changes[random(changes.length)];
    if (path === undefined || change === undefined) continue;
    // A leaf is taken with its files; of a file its directory is, too, as far as leaves go.
    touched.add(path);
    if (kind !== 0) tree.leaves.splice(0, tree.leaves.length, ...tree.leaves.filter((leaf) => leaf !== dirname(path)));
    const [act, drift] = change;
    const names = kind === 0 ? readdirSync(path) : [];
    act(path);
    expected.push(...drift(path, names));
  }
  expect(expected.length).toBeGreaterThan(CHANGES * 0.9);

  const short = (line: string): string => line.replaceAll(`${scratch.base}/`, '');
  for (const mode of [[], ['--quick']]) {
    expect([mode, `seed ${SEED}`, found(scratch.check(...mode), scratch).sort()]).toEqual([
      mode,
      `seed ${SEED}`,
      expected.map(short).sort(),
    ]);
  }
  expect(scratch.drive('accept', '--all').status).toBe(0);
  expect(scratch.check().status).toBe(0);
});
