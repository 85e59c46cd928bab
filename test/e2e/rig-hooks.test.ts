// The short form of `npm run rig -- hooks`: what it does is in test/rigs/hooks.mjs.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';

const RIG = join(import.meta.dirname, '../rigs/hooks.mjs');

test('no batch is lost or has a second key, and no process is left, whatever hooks and watch do', (context) => {
  needCapabilities(context);
  const ran = spawnSync(process.execPath, [RIG, '--runs', '60', '--output', '8M'], { encoding: 'utf8' });
  expect(ran.stdout + ran.stderr).toMatch(/^ok: nothing lost/m);
  expect(ran.status).toBe(0);
}, 300_000);
