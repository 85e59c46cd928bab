import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const DEMO = resolve(import.meta.dirname, '../../dist/cli/demo.js');
const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('driftline-demo-'));

test('the demonstration runs in under 30 seconds, shows what it promises, and leaves nothing behind', () => {
  const before = leftovers();
  const startMs = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [DEMO], { encoding: 'utf8', timeout: 60_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(Date.now() - startMs).toBeLessThan(30_000);
  expect(stdout).toMatch(/CHANGED\s+normal\s+\S+\/www\/index.html .*by (da)?sh\(\d+\)/);
  expect(stdout).toMatch(/REMOVED\s+normal\s+\S+\/www\/articles\/3.html .*by rm\(\d+\)/);
  expect(stdout).toMatch(/MOVED\s+normal\s+\S+\/www\/articles -> \S+\/www\/essays .*by mv\(\d+\)/);
  expect(stdout).toContain('mirror is equal');
  expect(stdout).toMatch(/critical changed \S+\/etc\/passwd/);
  expect(stdout).toMatch(/accepted 1 drift: generation \d+/);
  expect(stdout).toContain('no drift');
  expect(leftovers()).toEqual(before);
  expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('driftline-demo-');
});
