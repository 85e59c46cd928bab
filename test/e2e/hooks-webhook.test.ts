// alert-webhook against a server in this process.

import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DriftRecord, driftRecord, hostileRecords, ndjson } from './drift-records.ts';
import { certify, Place, runHook, runHookBeside } from './shipped.ts';

interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly url: string | undefined;
  readonly body: string;
}

let place: Place;
let server: Server;
let requests: Request[];
let status: number;
const RECORDS = [...hostileRecords('/srv'), driftRecord('/etc/a<!channel>&', { kind: 'added', changed: [] })];

async function take(request: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  requests.push({ headers: request.headers, url: request.url, body: Buffer.concat(chunks).toString() });
}

function listen(on: Server): Promise<number> {
  return new Promise((resolve) => on.listen(0, '127.0.0.1', () => resolve((on.address() as AddressInfo).port)));
}

beforeEach(() => {
  place = new Place();
  requests = [];
  status = 200;
  server = createServer(async (request, response) => {
    await take(request);
    response.writeHead(status, { Location: '/elsewhere' }).end(`said \x1b[31m${status}`);
  });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  place[Symbol.dispose]();
});

async function post(records: readonly DriftRecord[], settings: Record<string, string | string[]> = {}) {
  const port = server.listening ? (server.address() as AddressInfo).port : await listen(server);
  const all = { URL: `http://127.0.0.1:${port}/x?y=1`, KEY: 'k1', HOOK: 'it', ...settings };
  return await runHookBeside('alert-webhook', ndjson(records), all);
}

test('JSON: the records as they are, names and all', async () => {
  expect(await post(RECORDS)).toMatchObject({ status: 0, stderr: '' });
  const [{ headers, url, body } = { headers: {}, url: '', body: '' }, ...more] = requests;
  expect(more).toEqual([]);
  expect(url).toBe('/x?y=1');
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': 'k1' });
  expect(JSON.parse(body)).toEqual({
    v: 1,
    type: 'drifts',
    host: hostname(),
    hook: 'it',
    key: 'k1',
    severity: 'critical',
    counts: { changed: RECORDS.length - 1, added: 1 },
    drifts: RECORDS,
    omitted: 0,
  });
});

test('Slack: text that commands nothing', async () => {
  expect((await post(RECORDS, { SHAPE: 'slack' })).status).toBe(0);
  const message = JSON.parse(requests[0]?.body ?? '');
  expect(Object.keys(message)).toEqual(['text', 'mrkdwn']);
  expect(['<', '>', '\x1b'].filter((character) => message.text.includes(character))).toEqual([]);
  const lines = message.text.split('\n');
  expect(lines).toHaveLength(1 + RECORDS.length);
  expect(lines.join('\n')).toContain(
    'critical added /etc/a&lt;!channel&gt;&amp; by /usr/bin/vi (pid 812, uid 0, login 1000)',
  );
  expect(lines.join('\n')).toContain('/srv/new\\nline');
  expect(lines.join('\n')).toContain('/srv/bad\\xff\\xfeutf8');
});

test('ntfy: a title, a priority, and no more than 4096 bytes', async () => {
  const long = Array.from({ length: 30 }, (_, at) => driftRecord(`/${'\u00c3\u00a9'.repeat(200)}${at}`));
  expect((await post([...RECORDS, ...long], { SHAPE: 'ntfy', LIMIT: '100' })).status).toBe(0);
  const [{ headers, body } = { headers: {}, body: '' }] = requests;
  expect(headers).toMatchObject({
    title: `driftline on ${hostname()}: critical, ${RECORDS.length + 29} changed, 1 added`,
    priority: '5',
  });
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
  expect(body).toMatch(/\u00e9\.\.\.$/);
});

test('a limit leaves out, and says so', async () => {
  await post(RECORDS, { LIMIT: '2' });
  await post(RECORDS, { LIMIT: '2', SHAPE: 'slack' });
  const [json, slack] = requests.map(({ body }) => JSON.parse(body));
  expect(json).toMatchObject({ drifts: RECORDS.slice(0, 2), omitted: RECORDS.length - 2 });
  expect(slack.text).toMatch(new RegExp(`\nand ${RECORDS.length - 2} more$`));
});

test('address and token from files, headers from the settings', async () => {
  const port = await listen(server);
  writeFileSync(place.aside('url'), `http://127.0.0.1:${port}/secret\n`);
  writeFileSync(place.aside('token'), 't0ken\n');
  const settings = { URL: '', URL_FILE: place.aside('url'), TOKEN_FILE: place.aside('token'), HEADERS: ['X-A: b: c'] };
  expect((await post(RECORDS, settings)).status).toBe(0);
  expect(requests).toMatchObject([{ url: '/secret', headers: { authorization: 'Bearer t0ken', 'x-a': 'b: c' } }]);
});

test.each([
  [204, 0],
  [302, 1],
  [404, 1],
  [408, 75],
  [429, 75],
  [500, 75],
  [503, 75],
])('%i: exit %i', async (answer, exit) => {
  status = answer;
  const ran = await post(RECORDS);
  expect(ran.status).toBe(exit);
  expect(requests).toHaveLength(1);
  expect(ran.stderr).not.toContain('\x1b');
});

test('nobody there, nobody who answers, and a secret address that is not told: not now', async () => {
  const port = await listen(server);
  server.closeAllConnections();
  const silent = createServer(() => undefined);
  const silentPort = await listen(silent);
  await new Promise((resolve) => server.close(resolve));
  const refused = await runHookBeside('alert-webhook', ndjson(RECORDS), { URL: `http://127.0.0.1:${port}/secret` });
  expect(refused).toMatchObject({ status: 75, stderr: 'alert-webhook: no answer: ECONNREFUSED\n' });
  const mute = { URL: `http://127.0.0.1:${silentPort}/`, SECONDS: '1' };
  expect((await runHookBeside('alert-webhook', ndjson(RECORDS), mute)).status).toBe(75);
  silent.closeAllConnections();
  silent.close();
  server = createServer();
});

test('TLS: a certificate that nobody knows is refused, with CA it is accepted', async () => {
  server = createTlsServer(certify(place), async (request, response) => {
    await take(request);
    response.end();
  });
  const URL = `https://localhost:${await listen(server)}/`;
  expect(await post(RECORDS, { URL })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/certificate of the other side is not trusted: \w*SELF_SIGNED\w*; DRIFTLINE_CA may/),
  });
  expect(requests).toEqual([]);
  expect(await post(RECORDS, { URL, CA: place.aside('cert.pem') })).toMatchObject({ status: 0, stderr: '' });
  expect(requests).toHaveLength(1);
});

test('nothing drifted: nothing is sent', async () => {
  expect((await post([])).status).toBe(0);
  expect(requests).toEqual([]);
});

test.each([
  ['no address', {}, 64],
  ['another protocol', { URL: 'file:///etc/passwd' }, 64],
  ['an unknown shape', { URL: 'http://127.0.0.1:9/', SHAPE: 'constructor' }, 64],
  ['a header that would be two', { URL: 'http://127.0.0.1:9/', HEADERS: ['A: b\r\nC: d'] }, 64],
  ['a file that is not there', { URL_FILE: '/nonexistent' }, 74],
])('wrong use: %s', (_case, settings, exit) => {
  expect(runHook('alert-webhook', ndjson(RECORDS), settings).status).toBe(exit);
});
