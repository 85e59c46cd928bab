import { expect, test } from 'vitest';
import { builtFile } from '../../../src/domain/built-file.ts';

test.each([
  ['file:///opt/driftline/dist/disk/pool.js', 'file:///opt/driftline/dist/disk/worker.js'],
  ['file:///opt/driftline/src/disk/pool.ts?v=1', 'file:///opt/driftline/dist/disk/worker.js'],
  [
    'file:///usr/src/driftline/src/fanotify/clients/peer.ts',
    'file:///usr/src/driftline/dist/fanotify/clients/worker.js',
  ],
  ['file:///usr/src/driftline/dist/disk/pool.js', 'file:///usr/src/driftline/dist/disk/worker.js'],
])('%s: %s', (url, expected) => {
  expect(builtFile(url, 'worker').href).toBe(expected);
});
