// Layers and borders (src/README.md): who may import whom, and one npm package per file.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

/** Folder -> folders (or folders inside them) of ours that it may import, besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  engine: ['domain'],
  libc: ['domain'],
  fanotify: ['domain', 'libc'],
  watch: ['domain', 'libc', 'fanotify', 'engine/ports/'],
  trace: ['domain', 'libc', 'fanotify'],
  disk: ['domain', 'libc', 'engine/ports/'],
  sqlite: ['domain', 'engine/ports/'],
  hooks: ['domain', 'libc', 'engine/ports/'],
  config: ['domain'],
  report: ['domain', 'engine/ports/'],
  cli: ['domain', 'engine', 'libc', 'fanotify', 'watch', 'trace', 'disk', 'sqlite', 'hooks', 'config', 'report'],
};

/** npm package -> the one file that imports it. */
const OWNER: Readonly<Record<string, string>> = {
  koffi: 'libc/native.ts',
  '@photostructure/sqlite': 'sqlite/driver.ts',
  '@napi-rs/blake-hash': 'disk/blake3-native.ts',
  blake3: 'disk/blake3-wasm.ts',
  execa: 'hooks/command.ts',
  cosmiconfig: 'config/load.ts',
  yaml: 'config/source-map.ts',
  zod: 'config/zod.ts',
  commander: 'cli/program.ts',
  picomatch: 'domain/glob.ts',
};

interface Import {
  readonly file: string;
  readonly isOurs: boolean;
  readonly target: string;
}

function importsOf(path: string): Import[] {
  const file = relative(SRC, path);
  const text = readFileSync(path, 'utf8');
  const pattern = /(?:(?:from|import)\s+|(?:import|require|new URL)\(\s*)['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => {
    const target = match[1] ?? '';
    const isOurs = target.startsWith('.');
    return { file, isOurs, target: isOurs ? relative(SRC, join(dirname(path), target)) : target };
  });
}

const FILES = (readdirSync(SRC, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));
const IMPORTS = FILES.flatMap((name) => importsOf(join(SRC, name)));
const OURS = IMPORTS.filter(({ isOurs, target }) => isOurs && !target.startsWith('..'));
const PACKAGES = IMPORTS.filter(({ isOurs, target }) => !isOurs && !target.startsWith('node:'));

test('folders import only the layers below them', () => {
  const violations = OURS.filter(({ file, target }) => {
    const [from = '', to = ''] = [file.split('/')[0], target.split('/')[0]];
    return (
      from !== to &&
      !(ALLOWED[from] ?? []).some((allowed) => allowed === to || (allowed.endsWith('/') && target.startsWith(allowed)))
    );
  });
  expect(violations).toEqual([]);
});

test('each npm package is imported by exactly one file', () => {
  expect(PACKAGES.filter(({ file, target }) => OWNER[target] !== file)).toEqual([]);
  expect([...new Set(PACKAGES.map(({ target }) => target))].sort()).toEqual(Object.keys(OWNER).sort());
});

test('only cli/ reads the environment, prints or exits', () => {
  const offenders = FILES.filter((name) => !name.startsWith('cli/')).filter((name) =>
    /process\.(env|exit|stdout|stderr|argv)|console\./.test(readFileSync(join(SRC, name), 'utf8')),
  );
  expect(offenders).toEqual([]);
});

test('the architecture test saw the tree', () => {
  expect(FILES.length).toBeGreaterThan(30);
  expect(OURS.length).toBeGreaterThan(60);
  expect(PACKAGES.length).toBeGreaterThanOrEqual(Object.keys(OWNER).length);
});

test('no source file is longer than 250 lines', () => {
  const long = FILES.filter((name) => readFileSync(join(SRC, name), 'utf8').split('\n').length > 251);
  expect(long).toEqual([]);
});
