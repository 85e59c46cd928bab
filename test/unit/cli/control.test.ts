import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askWatch } from '../../../src/cli/control-client.ts';
import { encodeRequest, LINE_MAX_BYTES, parseReply, parseRequest } from '../../../src/cli/control-protocol.ts';
import { assertAllowed, serveControl } from '../../../src/cli/control-server.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { type BytePath, pathFromLatin1, pathFromText } from '../../../src/domain/path.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'driftline-control-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const hostile = pathFromLatin1('/etc/\xff\n"\x1b');

test('a request survives the wire, bytes included', () => {
  const request = {
    op: 'accept' as const,
    request: {
      paths: [hostile],
      report: undefined,
      reviewed: new Map([[hostile, 'print']]),
      by: { source: 'proc' as const, pid: 1, cmdline: ['a'] },
    },
  };
  expect(parseRequest(encodeRequest(request))).toEqual(request);
  for (const other of [{ op: 'status' }, { op: 'quick', scope: 'abc' }] as const)
    expect(parseRequest(encodeRequest(other))).toEqual(other);
});

test.each([
  '{"op":',
  'null',
  '[]',
  '{}',
  '{"op":"rm"}',
  '{"op":"accept"}',
  '{"op":"accept","paths":["\u0100"],"report":null,"reviewed":null}',
])('parseRequest refuses %s', (line) => {
  expect(() => parseRequest(line)).toThrow('malformed');
});

test('parseReply throws the failure of the other side', () => {
  expect(() => parseReply('{"ok":false,"code":"STALE","message":"m","hint":"h"}')).toThrow(
    expect.objectContaining({ code: 'STALE', message: 'm', hint: 'h' }),
  );
});

test('a server answers, passes errors on, survives garbage, and is private', async () => {
  const baseline = pathFromText(join(directory, 'b.db'));
  writeFileSync(`${baseline}.sock`, 'left behind by a killed watch');
  const server = await serveControl(baseline, (request) =>
    request.op === 'status' ? Promise.resolve({ fine: true }) : Promise.reject(new AppError('STALE', 'no')),
  );
  expect(statSync(`${baseline}.sock`).mode & 0o777).toBe(0o600);
  expect(await sendRaw(`${baseline}.sock`, 'garbage\n')).toContain('"ok":false');
  expect(await askWatch(baseline, { op: 'status' })).toEqual({ fine: true });
  const request = { paths: [], report: undefined, reviewed: undefined, by: { source: 'unknown' as const } };
  await expect(askWatch(baseline, { op: 'accept', request })).rejects.toMatchObject({ code: 'STALE' });
  server.close();
  expect(await askWatch(baseline, { op: 'status' })).toBeUndefined();
});

test('a state directory with a long name has a socket all the same', async () => {
  const deep = join(directory, 'd'.repeat(200));
  mkdirSync(deep);
  const baseline = pathFromText(join(deep, 'b.db')) as BytePath;
  const server = await serveControl(baseline, () => Promise.resolve(1));
  expect(await askWatch(baseline, { op: 'status' })).toBe(1);
  server.close();
});

test('a watch that stands still, or never ends its answer, is waited for no longer than a time', async () => {
  const baseline = pathFromText(join(directory, 'b.db'));
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(`${baseline}.sock`, resolve));
  const busy = expect.objectContaining({ code: 'BUSY' });
  await expect(askWatch(baseline, { op: 'status' }, { waitMs: 20, replyMaxBytes: 100 })).rejects.toThrow(busy);
  silent.removeAllListeners('connection').on('connection', (socket) => socket.write('x'.repeat(101)));
  await expect(askWatch(baseline, { op: 'status' }, { waitMs: 20_000, replyMaxBytes: 100 })).rejects.toThrow(busy);
  silent.close();
});

test('a socket that is not ours is not asked', async () => {
  const baseline = pathFromText(join(directory, 'b.db'));
  const server = await serveControl(baseline, () => Promise.resolve(1));
  chmodSync(`${baseline}.sock`, 0o622);
  await expect(askWatch(baseline, { op: 'status' })).rejects.toMatchObject({ code: 'BASELINE_UNTRUSTED' });
  server.close();
});

test('a request without an end is refused, and no more of it is taken', async () => {
  const baseline = pathFromText(join(directory, 'b.db'));
  const server = await serveControl(baseline, () => Promise.resolve(1));
  const socket = createConnection(`${baseline}.sock`);
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const reply = once(socket, 'data');
  let isRefused = false;
  void reply.then(() => {
    isRefused = true;
  });
  for (let sent = 0; !isRefused && sent < 4 * LINE_MAX_BYTES; sent += chunk.length) {
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), reply]);
  }
  expect(isRefused).toBe(true);
  expect(String(await reply)).toContain('too long');
  expect(await askWatch(baseline, { op: 'status' })).toBe(1);
  socket.destroy();
  server.close();
}, 60_000);

function sendRaw(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    let reply = '';
    socket.on('data', (chunk) => {
      reply += chunk.toString();
    });
    socket.on('end', () => resolve(reply)).on('error', reject);
    socket.end(text);
  });
}

test('only root and the user of the watch are answered', () => {
  for (const uid of [0, process.geteuid?.()]) expect(() => assertAllowed(uid)).not.toThrow();
  for (const uid of [65534, undefined]) expect(() => assertAllowed(uid)).toThrow(/may not ask this watch/);
});

test('who connects is known by the kernel: another user is refused, though the socket is open to all', async (context) => {
  if (process.geteuid?.() !== 0) return context.skip('only root can be somebody else');
  chmodSync(directory, 0o755);
  const baseline = pathFromText(join(directory, 'b.db'));
  const server = await serveControl(baseline, () => Promise.resolve('answered'));
  chmodSync(`${baseline}.sock`, 0o666);
  try {
    const ask = (uid: number): Promise<string> => {
      const script = `const s = require('net').connect(${JSON.stringify(`${baseline}.sock`)}); s.pipe(process.stdout); s.write('{"op":"status"}\\n')`;
      const child = spawn(process.execPath, ['-e', script], { uid, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
      return text(child.stdout);
    };
    expect(await ask(0)).toContain('"result":"answered"');
    expect(await ask(65534)).toContain('"code":"NO_PERMISSION"');
    // Gone before it is refused: the answer has nobody to go to.
    const rude = `const s = require('net').connect(${JSON.stringify(`${baseline}.sock`)}, () => process.exit())`;
    await once(spawn(process.execPath, ['-e', rude], { uid: 65534, cwd: '/', stdio: 'inherit' }), 'exit');
    expect(await ask(0)).toContain('"result":"answered"');
  } finally {
    server.close();
  }
}, 60_000);
