// The oracle rig in its shortest form, and each of its seeded faults, which it must notice.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { collect } from './daemon.ts';

const RUN = join(import.meta.dirname, '../rigs/run.sh');
const TIMEOUT_MS = 300_000;

beforeEach((context) => {
  needCapabilities(context);
  const missing = spawnSync('gcc', ['--version']).error;
  if (missing !== undefined && process.env['CI'] === undefined) context.skip('needs gcc, for the writers');
});

async function oracle(...args: string[]): Promise<{ status: number | null; text: string }> {
  const child = spawn('bash', [RUN, 'oracle', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, text: `${stdout()}${stderr()}` };
}

test('what the watch says is what is there, whatever befalls it', { timeout: TIMEOUT_MS }, async () => {
  const { status, text } = await oracle('--operations', '20000');
  process.stdout.write(text);
  expect(status, text).toBe(0);
  expect(text).toMatch(/^20000 operations, 4 fences /m);
});

test.for([
  ['overflow', 'flood'],
  ['close-write', 'calm'],
  ['mount', 'calm'],
  ['subtree', 'calm'],
  ['downtime', 'kill'],
])('seeded fault: %s', { timeout: TIMEOUT_MS }, async ([fault = '', trouble = '']) => {
  const { status, text } = await oracle(
    '--operations',
    '20000',
    '--fs',
    'tmpfs',
    '--fault',
    fault,
    '--trouble',
    trouble,
  );
  expect(status, text).toBe(0);
  expect(text).toMatch(/^noticed after /m);
});
