// The source as a whole: ignored directories, overflow, resources, its end.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { type DirtyEvent, type Probe, type ProbeOptions, shell } from './probe.ts';
import { probeForEach, scratch, watch as watchRoots } from './probe-for-each.ts';

const QUEUE = '/proc/sys/fs/fanotify/max_queued_events';

let root: string;

probeForEach();
beforeEach(() => {
  root = scratch.tmpfs('fs');
});

const watch = (options: ProbeOptions = {}): Promise<Probe> => watchRoots([root], options);

test('ignored directories are silent, and so are the ones below that come later', async () => {
  mkdirSync(`${root}/cache/deep`, { recursive: true });
  const watched = await watch({ ignore: [`${root}/cache`, '*.swp'] });
  const busy = `cd ${root}; mkdir -p cache/late/later; for d in cache cache/deep cache/late; do echo 1 > $d/f; done`;
  expect(await watched.dirtyAfter(`${busy}; echo 1 > .x.swp; echo 1 > seen`)).toEqual([`${root}/seen`]);
  await shell(`until [ $(grep -h 'mflags:[46]4' /proc/${process.pid}/fdinfo/* | wc -l) -ge 4 ]; do :; done`);
  expect(watched.problems).toEqual([]);
});

test('what moves out of an ignored directory is seen', async () => {
  mkdirSync(`${root}/cache`);
  writeFileSync(`${root}/cache/f`, '');
  const watched = await watch({ ignore: [`${root}/cache`] });
  expect(await watched.dirtyAfter(`mv ${root}/cache/f ${root}/f`)).toEqual([`${root}/f`]);
});

test("the files of driftline's own are no entries, and what this process does is no event", async () => {
  const watched = await watch({ own: [`${root}/own.db`] });
  writeFileSync(`${root}/by-this-process`, 'x');
  expect(await watched.dirtyAfter(`echo 1 > ${root}/own.db; echo 1 > ${root}/other`)).toEqual([`${root}/other`]);
});

test('settled: what was changed before has been taken; questions do not wait for each other', async () => {
  const watched = await watch();
  const missing: string[] = [];
  for (let round = 0; round < 50; round += 1) {
    const path = `${root}/f${round}`;
    await shell(`echo > ${path}`);
    await Promise.all([watched.source.settled(), watched.source.settled()]);
    if (!watched.events.some((event) => event.kind === 'dirty' && event.path === path)) missing.push(path);
  }
  expect(missing).toEqual([]);
  const last = watched.source.settled();
  await watched.close();
  await last;
  await watched.source.settled();
});

test('a full queue is an overflow and a gap, and the events after it still come', async () => {
  const before = readFileSync(QUEUE, 'utf8');
  writeFileSync(QUEUE, '1');
  let watched: Probe;
  try {
    watched = await watch();
  } finally {
    writeFileSync(QUEUE, before);
  }
  const overflow = watched.waitFor(({ kind }) => kind === 'overflow');
  await shell(`cd ${root}; for i in $(seq 500); do : > f$i; done; ln f1 g1; mv f1 f0`);
  await overflow;
  expect(watched.source.coverage()[0]?.gaps).toBeGreaterThan(0);
});

test('20,000 events of a consumer that reads late: every path, no descriptor more', async () => {
  const watched = await watch({ who: 'map' });
  const fds = readdirSync('/proc/self/fd').length;
  const events = await watched.run(`python3 -c "
for i in range(10000):
    open(f'${root}/f{i}', 'w').write('x')
"`);
  const paths = new Set(events.map((event) => (event.kind === 'dirty' ? event.path : event.kind)));
  expect(paths.size).toBe(10000);
  await expect.poll(() => watched.source.backlog()).toBe(0);
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(fds);
});

test('close: twice, quickly, with events under way; the iteration ends', async () => {
  const watched = await watch({ who: 'map' });
  const fds = readdirSync('/proc/self/fd').length;
  const writer = spawn('sh', ['-c', `while :; do echo 1 > ${root}/f; done`]);
  try {
    await watched.waitFor(({ kind }) => kind === 'dirty');
    await Promise.all([watched.close(), watched.close()]);
    await watched.ended;
  } finally {
    writer.kill('SIGKILL');
  }
  await watched.close();
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(fds);
});

test('an idle reader goes round once it is asked for a sign of life', async () => {
  const { source } = await watch();
  for (let asked = 0; asked < 3; asked += 1) {
    const before = source.turns();
    await expect.poll(() => source.turns(), { timeout: 60_000 }).toBeGreaterThan(before);
  }
});

test('a process that exits without close does not hang', () => {
  const module = new URL('../../dist/watch/fanotify-source.js', import.meta.url).href;
  const script = `
    const { openFanotifySource } = await import('${module}');
    const rule = { name: 'r', paths: ['${root}'], exclude: [], hooks: [], oneFileSystem: false };
    await openFanotifySource({ scope: { rules: [rule], ignore: [], own: [] }, marks: 'auto', who: 'map', onProblem() {} });
    process.exit(7);`;
  expect(() =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000, stdio: 'pipe' }),
  ).toThrow(expect.objectContaining({ status: 7 }));
});

test('without the capabilities it says which one is missing', () => {
  const module = new URL('../../dist/watch/fanotify-source.js', import.meta.url).href;
  const script = `
    const { openFanotifySource } = await import('${module}');
    const scope = { rules: [], ignore: [], own: [] };
    await openFanotifySource({ scope, marks: 'auto', who: 'proc', onProblem() {} })
      .catch((error) => console.log(error.code, error.message, '|', error.hint));`;
  const drop = (capability: string): string =>
    execFileSync('setpriv', [`--bounding-set=-${capability}`, process.execPath, '--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
  expect(drop('sys_admin')).toMatch(/^NO_PERMISSION cannot watch: CAP_SYS_ADMIN is missing \| .*init and check work/);
  expect(drop('dac_read_search')).toMatch(/^NO_PERMISSION cannot watch: CAP_DAC_READ_SEARCH is missing/);
});

test('the writer is named by its exec, with all that is known of it', async () => {
  const watched = await watch({ who: 'map' });
  const events = await watched.run(`cp /etc/hostname ${root}/copy; cat ${root}/copy > /dev/null`);
  const { actor } = events.find((event) => event.kind === 'dirty' && event.path === `${root}/copy`) as DirtyEvent;
  expect(actor).toMatchObject({
    source: 'exec',
    exe: execFileSync('readlink', ['-f', '/bin/cp'], { encoding: 'utf8' }).trim(),
  });
  expect(actor.uid ?? 0).toBe(0);
  expect(actor.ppids?.at(-1) ?? 1).toBe(1);
});

test('of 200 processes that are gone at once, nearly every program is known', async () => {
  const watched = await watch({ who: 'map' });
  const events = await watched.run(`for i in $(seq 200); do cp /etc/hostname ${root}/copy$i; done`);
  const actors = new Map(
    events.flatMap((event) => (event.kind === 'dirty' ? [[event.path as string, event.actor]] : [])),
  );
  const known = [...actors.values()].filter(({ source, exe }) => source === 'exec' && exe?.endsWith('/cp'));
  expect(actors.size).toBe(200);
  expect(known.length).toBeGreaterThanOrEqual(190);
});

test('a writer that was there before is found in /proc', async () => {
  const writer = spawn('sh', ['-c', `while read -r line; do echo "$line" >> ${root}/f; done`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  try {
    const watched = await watch({ who: 'map' });
    const seen = watched.waitFor((event) => event.kind === 'dirty' && event.path === `${root}/f`);
    writer.stdin.write('one\n');
    const { actor } = (await seen).find((event) => event.kind === 'dirty') as DirtyEvent;
    expect(actor).toMatchObject({ source: 'proc', pid: writer.pid, uid: 0 });
    expect(actor.cmdline?.[2]).toContain(`${root}/f`);
    expect(actor.ppids).toContain(process.pid);
  } finally {
    writer.kill('SIGKILL');
  }
});
