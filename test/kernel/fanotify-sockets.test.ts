// Clients of another process: over a Unix socket, with descriptors, between parties that do not trust each other.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as lib from '../../src/fanotify/index.ts';
import { acceptFrom, connectTo, listenAt, receiveMessage, sendMessage } from '../../src/libc/socket.ts';
import { needCapabilities } from './capability.ts';
import { eventsIn, until } from './items.ts';
import { shell } from './probe.ts';
import { Scratch } from './scratch.ts';

const { FAN_CLOSE_WRITE, FAN_CREATE } = lib;
const SERVER = join(import.meta.dirname, 'fanotify-server.mjs');

let scratch: Scratch;
let root: string;
let address: string;
const clients: lib.FanotifyClient[] = [];
const servers: ChildProcess[] = [];

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
  root = scratch.tmpfs('fs');
  address = join(scratch.dir, 'socket');
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const server of servers.splice(0)) await kill(server);
  scratch?.[Symbol.dispose]();
});

interface ServerOptions {
  readonly flags?: number;
  readonly ignoreOwn?: lib.IgnoredOwn;
  readonly mask?: number;
  readonly on?: 'mount' | 'filesystem';
  readonly listen?: lib.ListenOptions;
}

/** Resolves when it listens. */
async function serve(options: ServerOptions = {}): Promise<ChildProcess> {
  const settings = { mask: FAN_CREATE, on: 'filesystem', ...options };
  const server = spawn(process.execPath, [SERVER, root, address, JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  servers.push(server);
  await once(server.stdout!, 'data');
  return server;
}

async function kill(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGCONT');
  server.kill('SIGKILL');
  await ended;
}

async function stop(server: ChildProcess): Promise<void> {
  const ended = once(server, 'exit');
  server.stdin?.end();
  expect(await ended).toEqual([0, null]);
}

async function connect(rule: lib.FanoRule, options: lib.RemoteOptions = {}): Promise<lib.FanotifyClient> {
  const client = await lib.FanotifyClient.connect(address, rule, options);
  clients.push(client);
  return client;
}

const at = (name: string) => (data: lib.FanotifyData) => data.path === `${root}/${name}`;
const fdsOf = (pid: number | undefined): number => readdirSync(`/proc/${pid}/fd`).length;

test('two processes see events of one group, each by its rule', async () => {
  await serve();
  const all = await connect({ evTypes: FAN_CREATE });
  const some = await connect({ comm: 'touch', pathPattern: '*/+(b|end)' });
  await shell(`cd ${root}; : > a; touch a2 b $'\\xff'; touch end; :`);
  const every = eventsIn(await until(all, at('end')));
  expect(every.map(({ path, comm }) => [path?.slice(root.length + 1), comm])).toEqual([
    ['a', 'bash'],
    ['a2', 'touch'],
    ['b', 'touch'],
    ['\xff', 'touch'],
    ['end', 'touch'],
  ]);
  expect(every[1]).toMatchObject({ exe: expect.stringMatching(/\/touch$/), fd: -1, oldPath: undefined });
  expect(eventsIn(await until(some, at('end'))).map(({ path }) => path)).toEqual([`${root}/b`, `${root}/end`]);
});

test('descriptors cross, and nobody keeps one', async () => {
  const server = await serve({ flags: lib.FAN_CLASS_NOTIF, mask: FAN_CLOSE_WRITE, on: 'mount' });
  const [here, there] = [fdsOf(process.pid), fdsOf(server.pid)];
  const client = await connect({ evTypes: FAN_CLOSE_WRITE, passFd: true });
  const unread = await connect({ evTypes: FAN_CLOSE_WRITE, passFd: true }, { capacity: 100 });
  await shell(`cd ${root}; for i in $(seq 2000); do echo $i > $i; done; echo > end`);
  const events = eventsIn(await until(client, at('end')));
  expect(events).toHaveLength(2001);
  expect(readFileSync(events[1233]!.fd, 'utf8')).toBe('1234\n');
  for (const { fd } of events) closeSync(fd);
  await client.close();
  await unread.close();
  await expect.poll(() => fdsOf(process.pid)).toBe(here);
  await expect.poll(() => fdsOf(server.pid)).toBe(there);
});

test.each([
  ['process', ['child', 'other']],
  ['descendants', ['other']],
] as const)('of what the server and its children do, with %j left out, %j is seen', async (ignoreOwn, expected) => {
  const server = await serve({ ignoreOwn });
  const client = await connect({ evTypes: FAN_CREATE });
  // Lives until it was looked at.
  server.stdin?.write(`: > ${root}/child; read -r _\n`);
  await expect.poll(() => existsSync(`${root}/child`)).toBe(true);
  await shell(`: > ${root}/other`);
  const events = eventsIn(await until(client, at('other')));
  expect(events.map(({ path }) => path?.slice(root.length + 1))).toEqual(expected);
});

test('a process that does not read is told what it lost; others have everything', async () => {
  await serve();
  const quick = await connect({ evTypes: FAN_CREATE });
  const slow = await connect({ evTypes: FAN_CREATE }, { capacity: 50 });
  const count = 12_000;
  await shell(`cd ${root}; for i in $(seq ${count}); do : > $i; done; : > end`);
  expect(await until(quick, at('end'))).toHaveLength(count + 1);
  let [next, lost] = [1, 0];
  while (next <= count + 1) {
    const item = await slow.next();
    if (item?.kind === 'overflow') {
      expect(item.where).toBe('client');
      lost += item.lost ?? Number.NaN;
      next += item.lost ?? Number.NaN;
    } else {
      // The gap is where it is told.
      expect(item?.path).toBe(`${root}/${next > count ? 'end' : next}`);
      next += 1;
    }
  }
  expect(lost).toBeGreaterThan(0);
});

test('an overflow of the kernel reaches every client, whatever its patterns', async () => {
  const server = await serve();
  const client = await connect({ pathPattern: '*/end', evTypes: FAN_CREATE });
  const limit = Number(readFileSync('/proc/sys/fs/fanotify/max_queued_events', 'utf8'));
  server.kill('SIGSTOP');
  await shell(`cd ${root}; for i in $(seq ${limit + 100}); do : > $i; done`);
  server.kill('SIGCONT');
  expect(await client.next()).toEqual({ kind: 'overflow', where: 'kernel', lost: undefined });
  await shell(`: > ${root}/end`);
  expect(await client.next()).toMatchObject({ kind: 'event', path: `${root}/end` });
});

test('the end: a goodbye ends the stream, a killed server breaks it, and its socket is taken over', async () => {
  const rule = { evTypes: FAN_CREATE };
  const first = await serve();
  const client = await connect(rule);
  await shell(`: > ${root}/a`);
  await until(client, at('a'));
  const waiting = client.next();
  await stop(first);
  expect(await waiting).toBeUndefined();
  expect(existsSync(address)).toBe(false);
  await expect(connect(rule)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'connect', path: address });
  const second = await serve();
  const broken = await connect(rule);
  const breaking = expect(broken.next()).rejects.toMatchObject({ code: 'ECONNRESET' });
  await kill(second);
  await breaking;
  await expect(connect(rule)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await serve();
  await connect(rule);
});

test('a client that reconnects says that it was away, and goes on', async () => {
  const first = await serve();
  const client = await connect({ evTypes: FAN_CREATE }, { reconnect: true });
  const gap = client.next();
  await kill(first);
  await serve();
  expect(await gap).toEqual({ kind: 'overflow', where: 'connection', lost: undefined });
  await shell(`: > ${root}/a`);
  expect(await client.next()).toMatchObject({ path: `${root}/a` });
  const waiting = client.next();
  await kill(servers.at(-1)!);
  await client.close();
  expect(await waiting).toBeUndefined();
});

test('who may connect is checked, and whom is connected to', async () => {
  await serve({ listen: { uids: [65534] } });
  await expect(connect({ evTypes: FAN_CREATE })).rejects.toMatchObject({
    code: 'NO_PERMISSION',
    message: 'user 0 may not connect',
  });
  await expect(connect({ evTypes: FAN_CREATE }, { serverUids: [1000] })).rejects.toMatchObject({
    code: 'NO_PERMISSION',
    message: `${address} belongs to user 0`,
  });
});

test('more clients than allowed are refused, and let in when one goes', async () => {
  await serve({ listen: { clients: 1 } });
  const first = await connect({ evTypes: FAN_CREATE });
  await expect(connect({ evTypes: FAN_CREATE })).rejects.toMatchObject({ code: 'BUSY' });
  await first.close();
  await expect.poll(() => connect({ evTypes: FAN_CREATE }).then(Boolean, () => false)).toBe(true);
});

/** Says something that no client of ours would, and returns the answer. */
async function greet(bytes: Buffer): Promise<string> {
  const fd = connectTo(address);
  const devNull = [0];
  try {
    sendMessage(fd, bytes, devNull);
    for (;;) {
      const received = receiveMessage(fd);
      if (received === 'gone') return 'gone';
      if (received !== undefined) return received.bytes.toString();
      await setImmediate();
    }
  } finally {
    closeSync(fd);
  }
}

test('hostile greetings are refused one by one, and cost the server nothing', async () => {
  const server = await serve();
  const client = await connect({ evTypes: FAN_CREATE });
  const there = fdsOf(server.pid);
  const rule = {
    name: '',
    passFd: false,
    evTypes: 1,
    pids: [],
    uids: [],
    exe: [],
    cwd: [],
    path: [],
    comm: [],
    cgroup: [],
  };
  const hello = (change: object) =>
    Buffer.from(JSON.stringify({ version: 1, capacity: 10, rule: { ...rule, ...change } }));
  const cases: [Buffer, RegExp][] = [
    [Buffer.from([0, 255, 7]), /^rthe greeting is no JSON/],
    [Buffer.from('null'), /^rthe greeting is no object/],
    [Buffer.from('{"version":2}'), /^rthis is version 1/],
    [Buffer.from('{"version":1,"capacity":1e9}'), /^rcapacity/],
    [Buffer.from('{"version":1,"capacity":1,"__proto__":{},"more":1}'), /fields that it should not have/],
    [hello({ evTypes: 0 }), /^rthe rule says nothing/],
    [hello({ evTypes: -1 }), /^revTypes/],
    [hello({ exe: ['a'.repeat(5000)] }), /^ra pattern is longer/],
    [hello({ path: [{}] }), /^rthe patterns of path/],
    [hello({ pids: 'all' }), /^rpids/],
    [hello({ extra: 1 }), /^ra rule has no field "extra"/],
    [Buffer.alloc(60_000, '['), /^rthe greeting is no JSON/],
    [hello({}), /^a$/],
  ];
  for (const [bytes, answer] of cases) expect(await greet(bytes)).toMatch(answer);
  await expect.poll(() => fdsOf(server.pid)).toBe(there);
  await shell(`: > ${root}/a`);
  expect(await client.next()).toMatchObject({ path: `${root}/a` });
});

test('a server that says nonsense ends the stream with an error, and leaves no descriptor', async () => {
  const listening = listenAt(address);
  const before = fdsOf(process.pid);
  const record = Buffer.alloc(28);
  record.writeUInt32LE(28);
  record.writeUInt8(1, 4);
  record.writeInt32LE(-1, 20);
  const lies = [Buffer.from('i\x07'), Buffer.concat([Buffer.from('i'), record]), Buffer.from('x'), Buffer.from('a')];
  for (const lie of lies) {
    const connecting = connect({ evTypes: FAN_CREATE });
    let peer: number | undefined;
    await expect.poll(() => (peer ??= acceptFrom(listening))).toBeDefined();
    sendMessage(peer!, Buffer.from('a'), []);
    const client = await connecting;
    // Each with a descriptor that no event claims.
    sendMessage(peer!, lie, lie[0] === 0x69 ? [0] : []);
    closeSync(peer!);
    await expect(client.next()).rejects.toMatchObject({ code: expect.stringMatching(/^(INTERNAL|ECONNRESET)$/) });
    await client.close();
  }
  await expect.poll(() => fdsOf(process.pid)).toBe(before);
  closeSync(listening);
});

test('a process that exits does not wait for the threads', () => {
  const script = `
    import { Fanotify, FanotifyClient, pathFromText } from '${join(import.meta.dirname, '../../dist/fanotify/index.js')}';
    const fanotify = await Fanotify.open();
    fanotify.mark(pathFromText('${root}'), ${FAN_CREATE}, { on: 'filesystem' });
    fanotify.listen('${address}');
    const client = await FanotifyClient.connect('${address}', { evTypes: ${FAN_CREATE} });
    void client.next();
    process.exit(7);`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000, encoding: 'utf8' });
  expect(ran).toMatchObject({ status: 7, signal: null, stderr: '' });
});
