// Health checks by HTTPS: a certificate that nobody knows is refused and said, one that `ca` names is accepted.
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect } from 'vitest';
import { collect, type Fields } from './daemon.ts';
import { PROGRAM, type Scratch, test } from './program.ts';
import { certify, Place } from './shipped.ts';

let place: Place;
let server: Server;
let asked: string[];

beforeEach(async () => {
  place = new Place();
  asked = [];
  server = createServer(certify(place), (request, response) => {
    asked.push(String(request.url).replace(/\?.*/, ''));
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  place[Symbol.dispose]();
});

async function deliver(scratch: Scratch, host: string, more: Fields, env: NodeJS.ProcessEnv = {}) {
  const ping = { url: `https://${host}:${(server.address() as AddressInfo).port}/secret`, timeout: '60s', ...more };
  const rules = [{ name: 'it', paths: [scratch.tree], hooks: ['hook'] }];
  const hooks = { hook: { run: ['true'], ping } };
  const config = scratch.configure(`rules: ${JSON.stringify(rules)}\nhooks: ${JSON.stringify(hooks)}\n`);
  scratch.init();
  const child = spawn(process.execPath, [PROGRAM, '--config', config, 'hook', 'run', 'hook', scratch.tree], {
    env: { ...process.env, ...env },
  });
  const stderr = collect(child.stderr);
  const status = await new Promise((resolve) => child.once('close', resolve));
  return { status, stderr: stderr() };
}

test('a certificate that nobody knows: the check is not told, the hook runs, and why is said', async ({ scratch }) => {
  const { status, stderr } = await deliver(scratch, 'localhost', {});
  expect(status).toBe(0);
  expect(stderr).toMatch(/the health check was not told of \/start: its certificate is not trusted: \w*SELF_SIGNED\w*/);
  expect(stderr).not.toContain('secret');
  expect(asked).toEqual([]);
});

test('`ca` makes it known, for its own name alone', async ({ scratch }) => {
  const ca = { ca: place.aside('cert.pem') };
  expect(await deliver(scratch, 'localhost', ca)).toMatchObject({ status: 0 });
  expect(asked).toEqual(['/secret/start', '/secret']);
  const { stderr } = await deliver(scratch, '127.0.0.1', ca);
  expect(stderr).toMatch(/its certificate is not trusted: ERR_TLS_CERT_ALTNAME_INVALID/);
  expect(asked).toHaveLength(2);
});

test('so does NODE_EXTRA_CA_CERTS; a file that is not there is said', async ({ scratch }) => {
  const env = { NODE_EXTRA_CA_CERTS: place.aside('cert.pem') };
  expect(await deliver(scratch, 'localhost', {}, env)).toMatchObject({ status: 0 });
  expect(asked).toEqual(['/secret/start', '/secret']);
  const { status, stderr } = await deliver(scratch, 'localhost', { ca: place.aside('gone.pem') });
  expect(status).toBe(0);
  expect(stderr).toMatch(/the health check was not told of \/start: \S+gone\.pem: ENOENT/);
});
