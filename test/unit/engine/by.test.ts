// Rules that select on who did it, over a real baseline.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import { entry, path } from '../../fakes/entry.ts';
import { rule } from '../../fakes/rule.ts';
import { dir, Ground } from './ground.ts';

let ground: Ground;
beforeEach(async () => {
  ground = new Ground();
  const dpkg = { exe: '/usr/bin/dpkg', user: undefined, uid: undefined, unit: undefined };
  const trusted = { ...dpkg, exe: '/usr/bin/trusted', severity: undefined, onDrift: 'accept' as const };
  ground.rules = [
    rule('all', ['/r'], { severity: 'critical', by: [{ ...dpkg, severity: 'info', onDrift: undefined }, trusted] }),
  ];
  await ground.start(entry('/r/a'), entry('/r/b'));
});
afterEach(() => ground.close());

const by = (exe: string): { actors: Actor[] } => ({ actors: [{ source: 'exec', pid: 7, exe }] });
const severities = (): unknown[] =>
  [...ground.store.openDrift()].map(({ record }) => (JSON.parse(record) as { severity: unknown }).severity);

test('the severity of a drift is that of who made it, and stays when it is found again by nobody', async () => {
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  await ground.dirtyBy(by('/usr/bin/dpkg'), '/r/a');
  expect(severities()).toEqual(['info']);
  expect(await ground.dirty('/r/a')).toEqual([]);
  expect(severities()).toEqual(['info']);
  ground.disk.set(entry('/r/a', { mode: 0o640 }));
  await ground.dirtyBy(by('/usr/bin/vi'), '/r/a');
  expect(severities()).toEqual(['critical']);
});

test('an open drift becomes no milder by who comes after', async () => {
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  await ground.dirtyBy(by('/usr/bin/vi'), '/r/a');
  ground.disk.set(entry('/r/a', { mode: 0o640 }));
  await ground.dirtyBy(by('/usr/bin/dpkg'), '/r/a');
  expect(severities()).toEqual(['critical']);
  ground.disk.set(entry('/r/a', { mode: 0o400 }));
  await ground.dirtyBy(by('/usr/bin/trusted'), '/r/a');
  expect(ground.open()).toEqual(['/r/a']);
  expect(severities()).toEqual(['critical']);
});

test('what certain programs do is accepted, what others do is not', async () => {
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  ground.disk.set(entry('/r/b', { mode: 0o600 }));
  await ground.dirtyBy(by('/usr/bin/trusted'), '/r/a');
  await ground.dirtyBy(by('/usr/bin/vi'), '/r/b');
  expect(ground.open()).toEqual(['/r/b']);
  expect(ground.inBaseline('/r/a')?.mode).toBe(0o600);
  expect(ground.inBaseline('/r/b')?.mode).toBe(0o644);
});

test('what certain programs do is reported, also where everything else is accepted, and stays so', async () => {
  const vi = { exe: '/usr/bin/vi', user: undefined, uid: undefined, unit: undefined };
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept', by: [{ ...vi, severity: 'critical', onDrift: 'report' }] })];
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  ground.disk.set(entry('/r/b', { mode: 0o600 }));
  await ground.dirtyBy(by('/usr/bin/vi'), '/r/a');
  await ground.dirtyBy(by('/usr/bin/dpkg'), '/r/b');
  expect(ground.open()).toEqual(['/r/a']);
  expect(ground.inBaseline('/r/b')?.mode).toBe(0o600);
  expect(await ground.dirty('/r/a', '/r/')).toEqual([]);
  ground.disk.set(entry('/r/a', { mode: 0o640 }));
  expect(await ground.dirtyBy(by('/usr/bin/dpkg'), '/r/a')).toEqual(['changed /r/a #2']);
  expect(ground.open()).toEqual(['/r/a']);
  expect(ground.inBaseline('/r/a')?.mode).toBe(0o644);
  await ground.accept(['/r/a']);
  expect((await ground.check()).found).toEqual([]);
});

/** A file turns into a directory that nobody looked at yet, and something appears in it. */
async function addBelow(name: string, actor: Parameters<Ground['dirtyBy']>[0] = {}): Promise<void> {
  ground.disk.remove(path('/r/a'));
  for (const one of [dir('/r/a', 7n), entry(name, { inode: 8n })]) ground.disk.set(one);
  await ground.dirtyBy(actor, name);
}

test('what waits for what is above it says so, and is told once more when it is accepted', async () => {
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept' })];
  await addBelow('/r/a/x');
  const [open] = [...ground.store.openDrift()];
  expect(JSON.parse(open?.record ?? '')).toMatchObject({ seq: 1, waitsFor: '/r/a' });
  expect((await ground.dirty('/r/a')).sort()).toEqual(['added /r/a/x #2', 'changed /r/a #1']);
  expect(ground.open()).toEqual([]);
});

test('what certain programs do is accepted also when it had to wait, but not what others did there meanwhile', async () => {
  await addBelow('/r/a/x', by('/usr/bin/trusted'));
  await ground.dirtyBy(by('/usr/bin/trusted'), '/r/a');
  expect(ground.open()).toEqual([]);
  ground.disk.remove(path('/r/b'));
  for (const one of [dir('/r/b', 17n), entry('/r/b/x', { inode: 18n })]) ground.disk.set(one);
  await ground.dirtyBy(by('/usr/bin/trusted'), '/r/b/x');
  ground.disk.set(entry('/r/b/x', { inode: 18n, mode: 0o666 }));
  await ground.dirtyBy(by('/usr/bin/vi'), '/r/b/x');
  await ground.dirtyBy(by('/usr/bin/trusted'), '/r/b');
  expect(ground.open()).toEqual(['/r/b/x']);
});

test('a rule that accepts from now on accepts nothing that was reported before', async () => {
  ground.disk.set(entry('/r/a', { mode: 0o600 }));
  await ground.dirty('/r/a');
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept' })];
  expect(await ground.dirty('/r/a', '/r/')).toEqual([]);
  expect(ground.open()).toEqual(['/r/a']);
});

test('what waits is not accepted when the rule would not accept it any more', async () => {
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept' })];
  await addBelow('/r/a/x', by('/usr/bin/vi'));
  const trusted = { exe: '/usr/bin/vi', user: undefined, uid: undefined, unit: undefined, severity: undefined };
  for (const rules of [
    [rule('all', ['/r'], { by: [{ ...trusted, onDrift: 'accept' }] })],
    [rule('all', ['/r'], { onDrift: 'accept', by: [{ ...trusted, onDrift: 'report' }] })],
  ]) {
    ground.rules = rules;
    await ground.dirtyBy(by('/usr/bin/dpkg'), '/r/a');
    expect(ground.open()).toContain('/r/a/x');
  }
});

test('what could not be read is accepted when it can be, if that was so when it was told', async () => {
  const unread = (name: string) => entry(name, { digest: undefined, incomplete: 13, mode: 0o600 });
  ground.disk.set(unread('/r/a'));
  await ground.dirty('/r/a');
  ground.rules = [rule('all', ['/r'], { onDrift: 'accept' })];
  ground.disk.set(unread('/r/b'));
  await ground.dirty('/r/b');
  expect(ground.open()).toEqual(['/r/a', '/r/b']);
  for (const name of ['/r/a', '/r/b']) ground.disk.set(entry(name, { mode: 0o600 }));
  await ground.dirty('/r/a', '/r/b');
  expect(ground.open()).toEqual(['/r/a']);
});

test('a severity that one clause gave is not taken back by another', async () => {
  const web = { exe: '/usr/bin/httpd', user: undefined, uid: undefined, unit: undefined, onDrift: undefined };
  ground.rules = [rule('all', ['/r'], { severity: 'info', by: [{ ...web, severity: 'critical' }] })];
  ground.disk.set(entry('/r/a', { mode: 0o777 }));
  await ground.dirtyBy(by('/usr/bin/httpd'), '/r/a');
  ground.disk.set(entry('/r/a', { mode: 0o755 }));
  await ground.dirtyBy(by('/usr/bin/touch'), '/r/a');
  expect(severities()).toEqual(['critical']);
});

test('who removed something from a directory that moved is known, and who moved that stays known', async () => {
  const tree = [dir('/r/d', 5n), ...['x', 'y', 'z'].map((name, n) => entry(`/r/d/${name}`, { inode: BigInt(n + 6) }))];
  for (const one of tree) ground.disk.set(one);
  ground.store.commit({ accept: { put: tree, drop: [] } });
  const who = (): string[] =>
    [...ground.told.values()].map(({ kind, path: at, actors }) => `${kind} ${at} ${actors.at(-1)?.exe}`).sort();
  ground.disk.move(path('/r/d'), path('/r/e'));
  await ground.dirtyBy(by('/bin/mv'), '/r/d/', '/r/e/');
  ground.disk.remove(path('/r/e/x'));
  await ground.dirtyBy(by('/bin/rm'), '/r/e/x');
  expect(who()).toEqual(['moved /r/e /bin/mv', 'removed /r/d/x /bin/rm']);
  // Both at once.
  ground.disk.move(path('/r/e'), path('/r/f'));
  ground.disk.remove(path('/r/f/y'));
  await ground.dirtyBy(by('/bin/sh'), '/r/e/', '/r/f/', '/r/f/y');
  expect(who()).toEqual(['moved /r/f /bin/sh', 'removed /r/d/x /bin/rm', 'removed /r/d/y /bin/sh']);
});
