import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { trackActors } from '../../../../src/fanotify/actors/actors.ts';
import { type Image, type Owner, readImage, readOwner } from '../../../../src/fanotify/actors/proc.ts';

const OWNER: Owner = { startTime: '100', uid: 33, loginUid: 1000, unit: 'web.service', ppids: [1] };

/** A /proc that holds what the test says. */
function world() {
  const images = new Map<number, Image>();
  const owners = new Map<number, Owner>();
  let reads = 0;
  const actors = trackActors({
    readImage: (pid) => {
      reads += 1;
      return images.get(pid) ?? { exe: undefined, cmdline: undefined };
    },
    readOwner: (pid) => owners.get(pid),
    readBriefly: (pid) => owners.get(pid),
    readCwd: () => '/work',
  });
  const run = (pid: number, exe: string, cmdline: readonly string[], startTime = '100'): void => {
    images.set(pid, { exe, cmdline });
    owners.set(pid, { ...OWNER, startTime });
  };
  const end = (pid: number): void => {
    images.delete(pid);
    owners.delete(pid);
  };
  const hide = (pid: number): void => {
    images.delete(pid);
  };
  return { actors, run, end, hide, reads: () => reads };
}

test('a process seen at its exec is known after it is gone, for a while', () => {
  const { actors, run, end } = world();
  run(7, '/usr/bin/cp', ['cp', 'a', 'b']);
  actors.execed(7, '/usr/bin/cp');
  actors.execed(7, '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
  actors.loading(7);
  end(7);
  actors.settle(1000);
  const known = { source: 'exec', pid: 7, exe: '/usr/bin/cp', cmdline: ['cp', 'a', 'b'] };
  expect(actors.actorOf(7, 1000)).toEqual(known);
  expect(actors.actorOf(7, 20_000)).toEqual(known);
  expect(actors.actorOf(7, 40_000)).toEqual({ source: 'unknown' });
});

test('an exec whose program is not in place yet has a name and no command line', () => {
  const { actors, run } = world();
  run(7, '/usr/bin/sh', ['sh', '-c', 'cp a b']);
  actors.execed(7, '/usr/bin/cp');
  actors.settle(1000);
  const brief = {
    source: 'exec',
    pid: 7,
    exe: '/usr/bin/cp',
    uid: 33,
    loginUid: 1000,
    unit: 'web.service',
    ppids: [1],
    startedMs: 1000,
  };
  expect(actors.actorOf(7, 1000)).toEqual(brief);
  run(7, '/usr/bin/cp', ['cp', 'a', 'b']);
  actors.loading(7);
  actors.settle(1001);
  expect(actors.actorOf(7, 1001)).toEqual({ ...brief, cmdline: ['cp', 'a', 'b'] });
});

test('without an exec /proc is asked, once for many events', () => {
  const { actors, run, reads } = world();
  run(7, '/usr/bin/mysqld', ['mysqld']);
  for (let nowMs = 1000; nowMs < 1100; nowMs += 1) expect(actors.actorOf(7, nowMs).source).toBe('proc');
  expect(reads()).toBe(1);
  run(7, '/usr/bin/mysqld', ['mysqld', '--renamed']);
  expect(actors.actorOf(7, 1100).cmdline).toEqual(['mysqld', '--renamed']);
});

test('another process under the same pid is not mistaken for the first', () => {
  const { actors, run } = world();
  run(7, '/usr/bin/cp', ['cp']);
  actors.execed(7, '/usr/bin/cp');
  actors.loading(7);
  actors.settle(1000);
  run(7, '/usr/bin/bash', ['bash'], '999');
  expect(actors.actorOf(7, 5000)).toMatchObject({ source: 'proc', exe: '/usr/bin/bash' });
});

test('no pid, no actor', () => {
  expect(world().actors.actorOf(0, 1)).toEqual({ source: 'unknown' });
});

test('only so many processes are kept', () => {
  const { actors } = world();
  for (let pid = 1; pid <= 20_000; pid += 1) actors.execed(pid, '/bin/true');
  actors.settle(1000);
  expect(actors.actorOf(1, 1000).source).toBe('unknown');
  expect(actors.actorOf(20_000, 1000)).toMatchObject({ source: 'exec', exe: '/bin/true' });
});

test('a live process, from the real /proc', async () => {
  const child = spawn('cat', [], { argv0: 'caf\u00e9 \u202e' });
  try {
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    expect(readImage(pid).exe).toMatch(/\/cat$/);
    expect(readImage(pid).cmdline).toEqual(['caf\u00e9 \u202e']);
    const owner = readOwner(pid, () => undefined);
    expect(owner).toMatchObject({ uid: process.getuid?.() });
    expect(owner?.ppids[0]).toBe(process.pid);
    expect(readOwner(pid, () => [42])?.ppids).toEqual([process.pid, 42]);
  } finally {
    child.kill();
  }
});

test('in detail: bytes, directory, name and cgroup; a program that is gone is called by its file', () => {
  const { actors, run, end } = world();
  run(7, '/usr/bin/a-name-longer-than-fifteen', ['a']);
  actors.execed(7, '/usr/bin/a-name-longer-than-fifteen');
  actors.settle(1000);
  end(7);
  expect(actors.processOf(7, 1000)).toEqual({
    actor: expect.objectContaining({ source: 'exec', pid: 7 }),
    exe: '/usr/bin/a-name-longer-than-fifteen',
    cwd: '/work',
    uid: 33,
    comm: 'a-name-longer-t',
    cgroup: undefined,
  });
  expect(actors.processOf(8, 1000)).toMatchObject({ actor: { source: 'unknown' }, exe: undefined });
});

test('what was seen at the start counts, also of a process that is gone', () => {
  const started = [
    { image: { exe: '/usr/bin/sh', cmdline: ['sh', '-c', 'cp a b'] }, owner: OWNER, atMs: 1000 },
    { image: { exe: '/usr/bin/cp', cmdline: ['cp', 'a', 'b'] }, owner: OWNER, atMs: 1000 },
  ];
  const takeStarted = (_pid: number, exe: string | undefined) => {
    const at = started.findIndex(({ image }) => image.exe === exe);
    return at === -1 ? undefined : started.splice(at, 1)[0];
  };
  const gone = { readImage: () => ({ exe: undefined, cmdline: undefined }), readOwner: () => undefined };
  const actors = trackActors({ ...gone, readBriefly: () => undefined, takeStarted });
  actors.execed(7, '/usr/bin/sh');
  actors.settle(1000);
  expect(actors.actorOf(7, 1000)).toMatchObject({
    source: 'exec',
    cmdline: ['sh', '-c', 'cp a b'],
    uid: 33,
    ppids: [1],
  });
  actors.execed(7, '/usr/bin/cp');
  actors.settle(1001);
  expect(actors.actorOf(7, 1001)).toMatchObject({ source: 'exec', cmdline: ['cp', 'a', 'b'], unit: 'web.service' });
  expect(started).toEqual([]);
});

test('user and unit are those of now, whatever was seen at the start', () => {
  const images = { exe: '/usr/bin/sh', cmdline: ['sh'] };
  const seen = { image: images, owner: { ...OWNER, unit: undefined }, atMs: 1000 };
  const actors = trackActors({
    readImage: () => images,
    readOwner: () => OWNER,
    readBriefly: () => undefined,
    takeStarted: () => ({ ...seen, image: { ...images, cmdline: undefined } }),
    lookStarted: () => seen,
  });
  actors.execed(7, '/usr/bin/sh');
  actors.settle(1000);
  expect(actors.actorOf(7, 1050).unit).toBeUndefined();
  expect(actors.actorOf(7, 1300)).toMatchObject({ source: 'exec', unit: 'web.service' });
});

test('a process whose program is not to be known is not taken for the one that had its pid', () => {
  const { actors, run, hide } = world();
  run(7, '/usr/bin/cat', ['cat']);
  actors.execed(7, '/usr/bin/cat');
  actors.loading(7);
  actors.settle(1000);
  const unbelieved = (startTime: string): void => {
    run(7, '/usr/bin/sleep', ['sleep'], startTime);
    hide(7);
  };
  unbelieved('100');
  expect(actors.actorOf(7, 2000)).toMatchObject({ exe: '/usr/bin/cat' });
  unbelieved('999');
  expect(actors.actorOf(7, 3000)).toEqual({ source: 'unknown' });
});
