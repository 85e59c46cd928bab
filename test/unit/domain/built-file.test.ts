import { expect, test } from 'vitest';
import { builtFile } from '../../../src/domain/built-file.ts';

test.each([
  // As tsc writes it, in a bundle, and in an entry of a bundle.
  ['file:///opt/driftline/dist/domain/built-file.js', 'file:///opt/driftline/dist/fanotify/clients/worker.js'],
  ['file:///opt/driftline/dist/program/domain.js', 'file:///opt/driftline/dist/fanotify/clients/worker.js'],
  ['file:///opt/driftline/dist/watch/reader.js', 'file:///opt/driftline/dist/fanotify/clients/worker.js'],
  ['file:///usr/src/a/src/domain/built-file.ts', 'file:///usr/src/a/dist/fanotify/clients/worker.js'],
  ['file:///opt/src/driftline/dist/domain/built-file.js', 'file:///opt/src/driftline/dist/fanotify/clients/worker.js'],
])('%s: %s', (url, expected) => {
  expect(builtFile('fanotify/clients/worker', url).href).toBe(expected);
});
