// Clients of a shared reader, in this process and in others: each thing that goes wrong with pyfanotify 0.3.0, done right.
import { closeSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as lib from '../../src/fanotify/index.ts';
import { needCapabilities } from './capability.ts';
import { eventsIn, until } from './items.ts';
import { shell } from './probe.ts';
import { Scratch } from './scratch.ts';

const { FAN_CLOSE_WRITE, FAN_CREATE, FAN_DELETE, FAN_MODIFY, FAN_ONDIR, FAN_RENAME } = lib;
const path = lib.pathFromText;

let scratch: Scratch;
let root: string;
let fanotify: lib.Fanotify;
const clients: lib.FanotifyClient[] = [];

beforeEach((context) => {
  needCapabilities(context);
  scratch = new Scratch();
  root = scratch.tmpfs('fs');
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await fanotify?.stop();
  scratch?.[Symbol.dispose]();
});

async function open(options: lib.FanotifyOptions = {}): Promise<lib.Fanotify> {
  fanotify = await lib.Fanotify.open(options);
  return fanotify;
}

function connect(rule: lib.FanoRule, options: lib.ClientOptions = {}): lib.FanotifyClient {
  const client = fanotify.connect(rule, options);
  clients.push(client);
  return client;
}

/** What a script in a process of its own causes, up to the event of a cookie file. */
async function eventsOf(client: lib.FanotifyClient, script: string, cookie = `${root}/cookie`) {
  await shell(`set -e\n${script}\n: > '${cookie}'`);
  const items = await until(client, (data) => data.path === cookie);
  return eventsIn(items).filter((data) => data.path !== cookie);
}

const openFds = (): number => readdirSync('/proc/self/fd').length;

describe('marks', () => {
  test('an error of the kernel is thrown, with what failed and what to do', async () => {
    await open();
    expect(() => fanotify.mark(path(`${root}/missing`), FAN_CLOSE_WRITE)).toThrow(
      expect.objectContaining({ code: 'ENOENT', syscall: 'fanotify_mark', path: `${root}/missing` }),
    );
    const paths = [root, `${root}/missing`].map(path);
    expect(() => fanotify.mark(paths, FAN_CREATE)).toThrow(expect.objectContaining({ path: `${root}/missing` }));
  });

  test('options count for each path of a list', async () => {
    await open();
    for (const name of ['a', 'b']) writeFileSync(`${root}/${name}`, '');
    const both = [path(`${root}/a`), path(`${root}/b`)];
    fanotify.mark(path(root), FAN_CLOSE_WRITE, { on: 'filesystem' });
    fanotify.mark(both, FAN_CLOSE_WRITE, { flags: lib.FAN_MARK_IGNORE_SURV });
    const client = connect({ evTypes: FAN_CLOSE_WRITE });
    expect(await eventsOf(client, `echo >> ${root}/a; echo >> ${root}/b`)).toEqual([]);
    fanotify.unmark(both, FAN_CLOSE_WRITE, { flags: lib.FAN_MARK_IGNORE_SURV });
    const written = await eventsOf(client, `echo >> ${root}/a; echo >> ${root}/b`);
    expect(written.map((data) => data.path)).toEqual([`${root}/a`, `${root}/b`]);
  });

  test('stay when the last client goes', async () => {
    await open();
    mkdirSync(`${root}/d`);
    fanotify.mark(path(`${root}/d`), FAN_CREATE | lib.FAN_EVENT_ON_CHILD);
    await connect({ evTypes: FAN_CREATE }).close();
    const client = connect({ evTypes: FAN_CREATE });
    expect(await eventsOf(client, '', `${root}/d/cookie`)).toEqual([]);
  });
});

describe('rules', () => {
  beforeEach(async () => {
    await open();
    fanotify.mark(path(root), FAN_CLOSE_WRITE | FAN_MODIFY | FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ONDIR, {
      on: 'filesystem',
    });
  });

  test('a rename between directories has both names, each with its own directory', async () => {
    const client = connect({ evTypes: FAN_RENAME | FAN_CLOSE_WRITE });
    const events = await eventsOf(client, `cd ${root}; mkdir a b; : > a/x; mv a/x b/y`);
    expect(events.filter(({ evTypes }) => (evTypes & FAN_RENAME) !== 0)).toMatchObject([
      { oldPath: `${root}/a/x`, path: `${root}/b/y` },
    ]);
  });

  test('a pattern for a directory gets what is created, deleted and moved in, out and within it', async () => {
    const client = connect({ evTypes: FAN_CREATE | FAN_DELETE | FAN_RENAME, pathPattern: [`${root}/a/*`, '*/cookie'] });
    mkdirSync(`${root}/a`);
    const events = await eventsOf(client, `cd ${root}; : > a/one; mv a/one two; mv two a/three; rm a/three; : > four`);
    expect(events.map(({ oldPath, path: at }) => [oldPath, at])).toEqual([
      [undefined, `${root}/a/one`],
      [`${root}/a/one`, `${root}/two`],
      [`${root}/two`, `${root}/a/three`],
      [undefined, `${root}/a/three`],
    ]);
  });

  test('writers that are gone at once are chosen by their program', async () => {
    const client = connect({ exePattern: '*/dd', evTypes: FAN_CLOSE_WRITE, pathPattern: `${root}/dd-*` });
    const count = 200;
    await shell(`cd ${root}; for i in $(seq ${count}); do dd if=/dev/zero of=dd-$i bs=1 count=1 2> /dev/null; done`);
    const events = eventsIn(await until(client, (data) => data.path === `${root}/dd-${count}`));
    expect(new Set(events.map((data) => data.path)).size).toBe(count);
    expect(new Set(events.map(({ comm }) => comm))).toEqual(new Set(['dd']));
    // Never somebody else's; unknown where the process was gone even before its exec was read.
    for (const { cwd, uid } of events) expect([cwd ?? root, uid ?? 0]).toEqual([root, 0]);
  });

  test('programs, names, directories, users, pids and cgroups each choose', async () => {
    const cookie = `${root}/cookie`;
    const evTypes = FAN_CLOSE_WRITE;
    const all = connect({ evTypes });
    const rules: [lib.FanoRule, string[]][] = [
      [{ comm: 'tee' }, ['tee']],
      [{ exePattern: '*/@(tee|cp)' }, ['tee', 'cp']],
      [{ uids: [65534] }, ['nobody']],
      [{ cwdPattern: `${root}/d*` }, ['below']],
      [{ exePattern: '!(*/tee)', pathPattern: '*/@(tee|cp|cookie)' }, ['cp']],
      [{ pids: [1] }, []],
      [{ cgroup: '/no-such-group*' }, []],
    ];
    const chosen = rules.map(([rule]) => connect({ ...rule, evTypes }));
    // Whose directory or user is asked for lives until it was looked at.
    const done = shell(`cd ${root}; mkfifo one two; mkdir d; chmod 777 .; echo 1 | tee tee > /dev/null; cp tee cp
      (cd d; echo 1 > ../below; read -r _ < ../one)
      setpriv --reuid 65534 --regid 65534 --clear-groups bash -c 'echo 1 > nobody; read -r _ < two'; : > cookie`);
    for (const [name, fifo] of [
      ['below', 'one'],
      ['nobody', 'two'],
    ] as const) {
      const [last] = eventsIn(await until(all, (data) => data.path === `${root}/${name}`)).slice(-1);
      expect(last?.cgroup).toMatch(/^\//);
      writeFileSync(`${root}/${fifo}`, '\n');
    }
    await done;
    await until(all, (data) => data.path === cookie);
    await fanotify.stop();
    for (const [index, [rule, expected]] of rules.entries()) {
      const names = new Set<string>();
      for await (const item of chosen[index]!)
        if (item.kind === 'event') names.add(item.path?.slice(root.length + 1) ?? '');
      names.delete('cookie');
      expect([...names], JSON.stringify(rule)).toEqual(expected);
    }
  });
});

describe('own events', () => {
  const OWN = FAN_CLOSE_WRITE;

  /** Who wrote what: this process, and a child of it. */
  async function seen(ignoreOwn?: lib.IgnoredOwn): Promise<string[]> {
    await open(ignoreOwn === undefined ? {} : { ignoreOwn });
    fanotify.mark(path(root), OWN, { on: 'filesystem' });
    const client = connect({ evTypes: OWN });
    writeFileSync(`${root}/own`, '');
    await shell(`: > ${root}/child`);
    const events = eventsIn(await until(client, (data) => data.path === `${root}/child`));
    return events.map((data) => data.path?.slice(root.length + 1) ?? '');
  }

  test('are left out, those of children are seen', async () => {
    expect(await seen()).toEqual(['child']);
  });

  test('are seen by choice', async () => {
    expect(await seen('none')).toEqual(['own', 'child']);
  });
});

describe('slow and gone clients', () => {
  test('a slow client holds up nobody, and is told what it lost and where', async () => {
    await open();
    fanotify.mark(path(root), FAN_CREATE, { on: 'filesystem' });
    const slow = connect({ evTypes: FAN_CREATE }, { capacity: 10 });
    const quick = connect({ evTypes: FAN_CREATE });
    const count = 10_000;
    await shell(`cd ${root}; for i in $(seq ${count}); do : > $i; done; : > end`);
    const all = await until(quick, (data) => data.path === `${root}/end`);
    expect(all).toHaveLength(count + 1);
    // Only now does the slow one begin, with what it was given room for.
    const first = (await slow.next()) as lib.FanotifyData;
    expect(first.path).toBe(`${root}/1`);
    await fanotify.stop();
    const items: lib.FanotifyItem[] = [first];
    for await (const item of slow) items.push(item);
    const losses = items.filter((item) => item.kind === 'overflow');
    expect(losses.every(({ where }) => where === 'client')).toBe(true);
    expect(losses.length).toBeGreaterThan(0);
    const lost = losses.reduce((sum, item) => sum + (item.lost ?? Number.NaN), 0);
    expect(eventsIn(items).length + lost).toBe(count + 1);
    // The gap is where it is told.
    for (let index = 0, next = 1; index < items.length; index += 1) {
      const item = items[index]!;
      if (item.kind === 'event' && next <= count) expect(item.path).toBe(`${root}/${next}`);
      next += item.kind === 'event' ? 1 : (item.lost ?? 0);
    }
  });

  test('descriptors: handed over by choice, and none left behind', async () => {
    const before = openFds();
    await open({ flags: lib.FAN_CLASS_NOTIF });
    const running = openFds();
    fanotify.mark(path(root), FAN_CLOSE_WRITE, { on: 'mount' });
    const taking = connect({ evTypes: FAN_CLOSE_WRITE, passFd: true });
    const plain = connect({ evTypes: FAN_CLOSE_WRITE });
    const full = connect({ evTypes: FAN_CLOSE_WRITE, passFd: true }, { capacity: 1 });
    const idle = connect({ evTypes: FAN_CLOSE_WRITE, passFd: true });
    await shell(`cd ${root}; for i in $(seq 1000); do echo $i > $i; done; echo > end`);
    const events = eventsIn(await until(taking, (data) => data.path === `${root}/end`));
    expect(readFileSync(events[41]!.fd, 'utf8')).toBe('42\n');
    for (const { fd } of events) closeSync(fd);
    const without = eventsIn(await until(plain, (data) => data.path === `${root}/end`));
    expect(new Set(without.map(({ fd }) => fd))).toEqual(new Set([-1]));
    for (const client of [taking, plain, full, idle]) await client.close();
    // A client later: the thread has dealt with what came before.
    const later = connect({ evTypes: FAN_CLOSE_WRITE });
    await eventsOf(later, '');
    await later.close();
    await expect.poll(openFds).toBe(running);
    await fanotify.stop();
    await expect.poll(openFds).toBe(before);
  });

  test('close wakes who waits; stop ends every stream after what was read', async () => {
    await open();
    fanotify.mark(path(root), FAN_CREATE, { on: 'filesystem' });
    const closing = connect({ evTypes: FAN_CREATE });
    const waiting = closing.next();
    await closing.close();
    await closing.close();
    expect(await waiting).toBeUndefined();
    const client = connect({ evTypes: FAN_CREATE });
    await eventsOf(client, '');
    const last = client.next();
    await fanotify.stop();
    await fanotify.stop();
    expect(await last).toBeUndefined();
    expect(await connect({ evTypes: FAN_CREATE }).next()).toBeUndefined();
  });
});
