// Who: nobody is blamed for what the process did before it executed its present program.
import { cpSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Actor } from '../../src/domain/actor.ts';
import { needCapabilities } from './capability.ts';
import { type DirtyEvent, Probe } from './probe.ts';
import { Scratch } from './scratch.ts';

const [SH, SLEEP, DATE] = ['/bin/sh', '/bin/sleep', '/bin/date'].map((path) => realpathSync(path));

let scratch: Scratch;
let root: string;
let probe: Probe;

beforeEach(async (context) => {
  needCapabilities(context);
  scratch = new Scratch();
  root = scratch.tmpfs('fs');
  probe = await Probe.open([root], { who: 'map' });
});

afterEach(async () => {
  await probe?.close();
  scratch?.[Symbol.dispose]();
});

/** Those of each path, in order. */
async function actorsAfter(script: string): Promise<Map<string, Actor[]>> {
  const events = await probe.run(`cd ${root}\n${script}`);
  const dirty = events.filter((event): event is DirtyEvent => event.kind === 'dirty');
  const actors = new Map<string, Actor[]>();
  for (const { path, actor } of dirty) actors.set(path, [...(actors.get(path) ?? []), actor]);
  return actors;
}

const programs = (actors: readonly Actor[]): (string | undefined)[] => actors.map(({ exe }) => exe);

test('2,000 times: a shell that writes and then executes sleep is the one who wrote', {
  timeout: 240_000,
}, async () => {
  const actors = await actorsAfter("for ((i = 0; i < 2000; i++)); do sh -c 'echo 1 >f-$0; exec sleep 0' $i; done");
  expect(actors.size).toBe(2000);
  expect([...new Set([...actors.values()].map((one) => one.at(-1)?.exe))]).toEqual([SH]);
  expect([...actors.values()].flatMap(programs)).not.toContain(SLEEP);
  // The command line is that of the shell, or not known.
  const known = [...actors.values()]
    .flatMap((one) => one.at(-1)?.cmdline ?? [])
    .filter((word) => word.startsWith('echo'));
  process.stdout.write(`command line of the shell: ${known.length} of 2000\n`);
  expect([...actors.values()].flatMap((one) => one.at(-1)?.cmdline ?? [])).not.toContain('sleep');
});

test('a process that has executed nothing when it writes is not named after what it executes then', async () => {
  const actors = await actorsAfter('for ((i = 0; i < 500; i++)); do (echo 1 >f-$i; exec sleep 0); done');
  expect(actors.size).toBe(500);
  expect([...actors.values()].flatMap(programs)).not.toContain(SLEEP);
  // User and parents are those of the process, whatever it executes.
  const known = [...actors.values()].map((one) => one.at(-1)).filter((actor) => actor?.pid !== undefined);
  for (const actor of known) if (actor?.uid !== undefined) expect(actor).toMatchObject({ uid: 0 });
});

test('a program that writes into a file which its shell has opened is seen', async () => {
  const actors = await actorsAfter('for ((i = 0; i < 200; i++)); do : >f-$i; date >f-$i; sleep 0.01; done');
  const last = [...actors.values()].map((one) => one.at(-1)?.exe);
  // On a busy machine both are one event: then it is the one who was first, and that somebody came after.
  const merged = [...actors.values()].filter((one) => one.at(-1)?.exe !== DATE);
  process.stdout.write(`date, in an event of its own: ${last.filter((exe) => exe === DATE).length} of 200\n`);
  expect(last.filter((exe) => exe === DATE).length).toBeGreaterThan(0);
  for (const one of merged) expect(one.length).toBeGreaterThan(1);
});

test.each(['overlay', 'subvolume'] as const)(
  '%s: the same with programs of its own, where each directory is marked',
  async (filesystem) => {
    await probe.close();
    root = scratch[filesystem]('own');
    mkdirSync(join(root, 'bin'));
    for (const name of ['sh', 'sleep']) cpSync(realpathSync(`/bin/${name}`), join(root, 'bin', name));
    probe = await Probe.open([root], { who: 'map' });
    // The directory of the programs is marked when the first one starts.
    await actorsAfter('bin/sleep 0');
    const actors = await actorsAfter(
      "for ((i = 0; i < 300; i++)); do bin/sh -c 'echo 1 >f-$0; exec bin/sleep 0' $i; done",
    );
    const written = [...actors].filter(([path]) => path.includes('/f-'));
    expect(written).toHaveLength(300);
    const named = written.flatMap(([, one]) => programs(one)).filter((exe) => exe !== undefined);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((exe) => exe.endsWith('/sleep'))).toEqual([]);
  },
);
