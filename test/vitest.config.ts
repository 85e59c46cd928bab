import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number, fileParallelism: boolean, retry = 0) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, fileParallelism, retry },
});

// On a machine that others use, a process that lives for a millisecond may end before anybody could look at it.
const RETRY = process.env['CI'] ? 1 : 0;

// unit: runs anywhere; kernel: needs root and real fanotify; e2e: spawns the built program.
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    pool: 'forks',
    // vitest leaves a processor out: of two, that would be half of them.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'test-results.json' }]] : ['default'],
    coverage: { include: ['src/domain/**', 'src/fanotify/decode.ts'] },
    projects: [
      project('unit', 20_000, true),
      project('kernel', 60_000, false, RETRY),
      project('e2e', 120_000, false, RETRY),
    ],
  },
});
