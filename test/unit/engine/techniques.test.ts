// Every way to change a file (test/scenarios), without the kernel's events: the state before and after it is real, and what is
// told of it is made up, in order, out of order and twice, or lost altogether. The drift is the same.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Entry } from '../../../src/domain/entry.ts';
import { inodeKey } from '../../../src/domain/inode-table.ts';
import { isWithin, pathFromText, rebasePath } from '../../../src/domain/path.ts';
import type { WatchEvent } from '../../../src/engine/ports/event-source.ts';
import { path } from '../../fakes/entry.ts';
import { eventsBetween, type Tree } from '../../fakes/kernel.ts';
import { TECHNIQUES, type Technique } from '../../scenarios/catalogue.ts';
import { diskOver, entriesOf, ruleOver, scopeOf, walkAll } from '../disk/fixture.ts';
import { Ground } from './ground.ts';
import { Watching } from './watching.ts';

/** What is held, mounted, or another filesystem's is for the kernel (test/kernel/techniques.test.ts). */
const HERE = TECHNIQUES.filter(
  ({ hold, coverage, except }) => hold !== true && coverage === undefined && typeof except?.tmpfs !== 'object',
);
const SOURCE = join(import.meta.dirname, '../../scenarios/techniques.c');

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'driftline-techniques-'));
  if (spawnSync('gcc', ['-O1', '-o', join(scratch, 'techniques'), SOURCE]).status !== 0) return;
  mkdirSync(join(scratch, 'trees'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const ROOT = path('/r');
const covers = (one: Entry['path']): boolean => isWithin(one, ROOT);

/** What was there before and after, below /r and beside it; a text: why it cannot be done here. */
async function statesOf({ name, seed = ':', act }: Technique): Promise<readonly [Tree, Tree] | string> {
  const top = join(scratch, 'trees', name.replaceAll(/[^a-zA-Z0-9]+/g, '-'));
  const [cwd, OUT] = [join(top, 'r'), join(top, 'out')];
  for (const dir of [cwd, OUT]) mkdirSync(dir, { recursive: true });
  const disk = diskOver(scopeOf(ruleOver([top], { attributes: ['default'] })), { jobs: 1 });
  const state = async (): Promise<Tree> => {
    const entries = [...entriesOf(await walkAll(disk, top)).values()];
    const placed = entries.flatMap((one) => {
      const from = [cwd, OUT].map(pathFromText).find((dir) => isWithin(one.path, dir));
      return from === undefined ? [] : { ...one, path: rebasePath(one.path, from, from === OUT ? path('/out') : ROOT) };
    });
    return new Map(placed.map((one) => [one.path, one]));
  };
  const run = (script: string): void => {
    const env = { ...process.env, OUT, BIND: cwd, T: join(scratch, 'techniques') };
    execFileSync('bash', ['-ec', script], { cwd, env, stdio: 'pipe' });
  };
  try {
    run(seed);
    const before = await state();
    run(act);
    return [before, await state()];
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
}

/** What is open when all of it was told like that. */
async function openAfter(
  [before, after]: readonly [Tree, Tree],
  tell: (events: WatchEvent[]) => WatchEvent[],
): Promise<string[]> {
  const ground = new Ground();
  await ground.start(...[...before.values()].filter((one) => covers(one.path)));
  const watching = new Watching(ground);
  try {
    await watching.begin();
    for (const one of before.keys()) if (covers(one) && !after.has(one)) ground.disk.remove(one);
    for (const one of after.values()) if (covers(one.path)) ground.disk.set(one);
    for (const { inode } of after.values()) watching.inodes.noteChange(inodeKey(inode));
    watching.source.say(...tell(eventsBetween(before, after, covers)));
    for (let times = 0; times < 20; times += 1) await watching.clock.advance(100);
    return [...ground.store.openDrift()].map(({ record }) => described(record)).sort();
  } finally {
    await watching.stop();
    ground.close();
  }
}

function described(record: string): string {
  const { kind, path: at, from, entries } = JSON.parse(record) as Record<string, unknown>;
  const names = [from, at].flatMap((one) => (one === undefined ? [] : [String(one).replace('/r/', '')]));
  return `${kind} ${names.join(' -> ')}${entries === undefined ? '' : ` with ${entries}`}`;
}

const TELLING: Readonly<Record<string, (events: WatchEvent[]) => WatchEvent[]>> = {
  'in order': (events) => events,
  'backwards, each twice': (events) => events.toReversed().flatMap((one) => [one, one]),
  lost: () => [{ kind: 'overflow', sinceMs: 1 }],
};

describe.each(HERE)('$name', (technique) => {
  test('leads to its drift, however it is told', async (context) => {
    if (spawnSync('which', ['gcc']).status !== 0) context.skip('needs gcc');
    const states = await statesOf(technique);
    if (typeof states === 'string') return context.skip(states);
    const ways = Object.entries(TELLING).filter(([way]) => technique.by !== 'sweep' || way === 'lost');
    for (const [way, tell] of ways) {
      expect({ way, open: await openAfter(states, tell) }).toEqual({ way, open: [...technique.drift].sort() });
    }
  });
});
