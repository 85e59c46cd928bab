// driftline hook run and hook test without a watch, interrupted: a hook or a health check that does not answer holds nobody up.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { Daemon } from './daemon.ts';
import { PROGRAM, type Scratch, test } from './program.ts';

/** Takes connections and never answers. */
let server: Server;
let connections: Socket[];

beforeEach(async () => {
  connections = [];
  server = createServer((socket) => connections.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const socket of connections) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** A hook that says its pid and that it was asked to end, and goes on; with what it starts in a session of its own. */
const DEAF =
  'trap "echo asked >>$DRIFTLINE_LOG" TERM; setsid sleep 1000 & echo $! $$ >$DRIFTLINE_LOG; while :; do sleep 0.1; done';

function begin(scratch: Scratch, grace: string, run: readonly string[], command: readonly string[]): Daemon {
  const ping = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`, timeout: '1h' };
  const hook = { run, with: { log: join(scratch.base, 'log') }, grace, ping };
  const rules = [{ name: 'it', paths: [scratch.tree], hooks: ['hook'] }];
  const config = scratch.configure(`rules: ${JSON.stringify(rules)}\nhooks: ${JSON.stringify({ hook })}\n`);
  scratch.init();
  const child = spawn(process.execPath, [PROGRAM, '--config', config, 'hook', ...command, 'hook', scratch.tree]);
  return new Daemon(child, '');
}

/** A zombie is dead, whenever somebody reaps it. */
function isAlive(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'latin1'));
}

const told = ({ base }: Scratch): string => {
  const file = join(base, 'log');
  return existsSync(file) ? readFileSync(file, 'latin1') : '';
};

test.for([
  ['run', 'a second signal', '10m'],
  ['run', 'the grace', '100ms'],
  ['test --run', 'a second signal', '10m'],
] as const)('hook %s: %s ends what does not end', async ([command, by, grace], { scratch }) => {
  const running = begin(scratch, grace, ['sh', '-c', DEAF], command.split(' '));
  await running.until('the hook', () => told(scratch).includes('\n'));
  await running.until('the health check to be told', () => connections.length > 0);
  running.signal('SIGINT');
  if (by === 'a second signal') {
    await running.until('the hook to be asked', () => told(scratch).includes('asked'));
    running.signal('SIGTERM');
  }
  expect(await running.ended).toMatchObject({ code: 130, signal: null });
  const [child = '', parent = ''] = told(scratch).trim().split(/\s/);
  expect([child, parent].map(isAlive)).toEqual([false, false]);
  expect(running.stderr()).not.toContain('secret');
});

test('a second signal ends the wait for a health check, too', async ({ scratch }) => {
  const running = begin(scratch, '10m', ['true'], ['run']);
  await running.until('the health check to be told', () => connections.length > 0);
  running.signal('SIGTERM');
  running.signal('SIGINT');
  expect(await running.ended).toMatchObject({ signal: null });
});
