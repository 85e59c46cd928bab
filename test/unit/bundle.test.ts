// What packaging/bundle.mjs makes of the program.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const DIST = resolve(import.meta.dirname, '../../dist');

/** The modules that are loaded with a file, before anything in it is executed. */
function importsOf(file: string, found = new Set<string>()): Set<string> {
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?:.* from )?"([^"]+)";$/gm)) {
    if (found.has(name)) continue;
    found.add(name);
    if (name.startsWith('.')) importsOf(join(file, '..', name), found);
  }
  return found;
}

test('the program starts its threads, and can say what is wrong, before it loads anything that may fail to load', () => {
  expect([...importsOf(join(DIST, 'cli/main.js'))].sort()).toEqual([
    '../program/early.js',
    'node:os',
    'node:worker_threads',
  ]);
});

test.each(['disk/worker', 'watch/reader'])('%s is one file, and npm packages', (thread) => {
  const imports = [...importsOf(join(DIST, `${thread}.js`))];
  expect(imports).toContain('koffi');
  expect(imports.filter((name) => name.startsWith('.'))).toEqual([]);
});
