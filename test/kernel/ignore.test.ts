// What the kernel does not deliver, shown by counting: ignored directories, and files outside every rule that are written to
// without pause.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { createInodeTable, inodeKey } from '../../src/domain/inode-table.ts';
import { pathFromText } from '../../src/domain/path.ts';
import { compileScope } from '../../src/domain/rule.ts';
import { FAN_CLOSE_WRITE, FAN_MARK_IGNORE_SURV, FAN_MODIFY } from '../../src/fanotify/abi.ts';
import { parseMarks } from '../../src/fanotify/fdinfo.ts';
import { mountTable, parseMountinfo } from '../../src/fanotify/mounts.ts';
import { openFidGroup } from '../../src/watch/groups.ts';
import { Ignoring } from '../../src/watch/ignoring.ts';
import { type Probe, type ProbeOptions, ruleFor, shell } from './probe.ts';
import { probeForEach, scratch, watch as watchRoots } from './probe-for-each.ts';

/** An ignore mask of content on a single file. */
const HOT = FAN_MODIFY | FAN_CLOSE_WRITE;

let fs: string;
let root: string;

probeForEach();
beforeEach(() => {
  fs = scratch.ext4('fs');
  root = `${fs}/root`;
  for (const dir of [root, `${fs}/outside`]) mkdirSync(dir);
});

const watch = (options: ProbeOptions = {}): Promise<Probe> => watchRoots([root], options);

/** The ignore marks of all groups of this process that pass. */
async function ignoreMarks(passes: (ignoredMask: number) => boolean): Promise<number> {
  await shell(`cat /proc/${process.pid}/fdinfo/* > ${scratch.dir}/fdinfo 2> /dev/null || true`);
  const text = readFileSync(`${scratch.dir}/fdinfo`, 'latin1');
  const isIt = ({ flags, ignoredMask }: { flags: number; ignoredMask: number }): boolean =>
    (flags & FAN_MARK_IGNORE_SURV) !== 0 && passes(ignoredMask);
  return parseMarks(text).filter(isIt).length;
}

/** How many events the kernel delivers for a script, its cookie's left out. */
async function delivered(watched: Probe, script: string): Promise<number> {
  await watched.run('');
  const before = watched.source.delivered();
  await watched.run(script);
  return watched.source.delivered() - before;
}

/** Writes until the kernel ignores it: the reader may be slow, and the kernel merges what it has not read. */
async function heat(file: string): Promise<void> {
  const marked = (ignoredMask: number): boolean => ignoredMask === HOT;
  await expect
    .poll(
      async () => {
        await shell(`for i in $(seq 400); do echo $i >> ${file}; done`);
        return ignoreMarks(marked);
      },
      { timeout: 50_000 },
    )
    .toBe(1);
}

test('an ignored directory delivers nothing, nor do directories that are made in it later', async () => {
  mkdirSync(`${root}/cache`);
  const watched = await watch({ ignore: [`${root}/cache`] });
  await expect.poll(() => ignoreMarks(() => true), { timeout: 50_000 }).toBe(1);
  const [dir, outside] = [`${root}/cache`, `${fs}/outside`];
  const busy = `for i in $(seq 300); do echo $i > ${dir}/f; chmod 600 ${dir}/f; done`;
  expect(await delivered(watched, busy)).toBeLessThan(10);
  // Of a removal the kernel tells the lost link, of the file and not of the directory: no mark of a directory swallows that.
  const temporary = (place: string): string => `for i in $(seq 300); do echo 1 > ${place}/t$i; rm ${place}/t$i; done`;
  const [ignored, usual] = [await delivered(watched, temporary(dir)), await delivered(watched, temporary(outside))];
  expect(ignored).toBeLessThan(310);
  expect(usual).toBeGreaterThan(310);
  await watched.run(`mkdir -p ${root}/cache/late/later`);
  await expect.poll(() => ignoreMarks(() => true), { timeout: 50_000 }).toBe(3);
  writeFileSync(`${root}/cache/late/later/f`, '');
  const write = `for i in $(seq 300); do echo $i > ${root}/cache/late/later/f; done`;
  expect(await delivered(watched, write)).toBeLessThan(10);
});

test.each([
  ['a mere name', { ignore: ['node_modules'] }],
  ['a pattern', { ignore: [`/**/node_*`] }],
  ['an exclusion', { exclude: ['node_modules'] }],
])(
  'a directory that %s leaves out is ignored by the kernel when it is busy, with all that is in it',
  async (_, options) => {
    const dir = `${root}/a/node_modules`;
    mkdirSync(`${dir}/x/y`, { recursive: true });
    const watched = await watch(options);
    await expect
      .poll(
        async () => {
          await shell(`for i in $(seq 300); do echo $i > ${dir}/x/f$i; done`);
          return ignoreMarks((mask) => mask !== HOT);
        },
        { timeout: 50_000 },
      )
      .toBe(3);
    expect(
      await delivered(watched, `for i in $(seq 300); do echo $i > ${dir}/x/y/f; echo $i > ${dir}/g; done`),
    ).toBeLessThan(10);
    await watched.run(`mkdir ${dir}/late`);
    await expect.poll(() => ignoreMarks((mask) => mask !== HOT), { timeout: 50_000 }).toBe(4);
    expect(await watched.dirtyAfter(`mv ${dir} ${root}/a/kept`)).toContain(`${root}/a/kept/`);
    expect(await watched.dirtyAfter(`echo 1 > ${root}/a/kept/x/f`)).toEqual([`${root}/a/kept/x/f`]);
  },
);

test('a hot file outside every rule is ignored by the kernel, until it has another name', async () => {
  const hot = `${fs}/outside/log`;
  const watched = await watch();
  await heat(hot);
  expect(await delivered(watched, `for i in $(seq 500); do echo $i >> ${hot}; done`)).toBeLessThan(10);
  expect(await watched.dirtyAfter(`ln ${hot} ${root}/name`)).toContain(`${root}/name`);
  await expect.poll(() => ignoreMarks((mask) => mask === HOT)).toBe(0);
  expect(await watched.dirtyAfter(`echo 1 >> ${root}/name`)).toContain(`${root}/name`);
});

test('a hot file that moves into a rule, by itself or with its directory, is heard of', async () => {
  const watched = await watch();
  await heat(`${fs}/outside/log`);
  expect(await watched.dirtyAfter(`mv ${fs}/outside/log ${root}/log`)).toEqual([`${root}/log`]);
  expect(await watched.dirtyAfter(`echo 1 >> ${root}/log`)).toEqual([`${root}/log`]);
  await heat(`${fs}/outside/other`);
  expect(await watched.dirtyAfter(`mv ${fs}/outside ${root}/in`)).toEqual([`${root}/in/`]);
  expect(await watched.dirtyAfter(`echo 1 >> ${root}/in/other`)).toEqual([`${root}/in/other`]);
});

test('a hot file that is mounted into a rule is heard of', async () => {
  const watched = await watch();
  await heat(`${fs}/outside/log`);
  await watched.run(`mkdir ${root}/bind; mount --bind ${fs}/outside ${root}/bind`);
  await expect.poll(() => ignoreMarks((mask) => mask === HOT)).toBe(0);
  expect(await watched.dirtyAfter(`echo 1 >> ${fs}/outside/log`)).toContain(`${root}/bind/log`);
});

test('a name of a file of the baseline is never ignored, however hot it is', async () => {
  const alias = `${fs}/outside/alias`;
  writeFileSync(`${root}/f`, '');
  await shell(`ln ${root}/f ${alias}`);
  const table = createInodeTable(1);
  table.add(inodeKey(BigInt(statSync(alias).ino)), 0);
  const watched = await watch({ inodes: table.memory });
  await watched.run(`for i in $(seq 3000); do echo $i >> ${alias}; done`);
  expect(await ignoreMarks((mask) => mask === HOT)).toBe(0);
  const events = await watched.run(`echo 1 >> ${alias}`);
  expect(events).toContainEqual(expect.objectContaining({ kind: 'linked' }));
});

test('a directory that moves out of an ignored one is heard of, and what is below it', async () => {
  mkdirSync(`${root}/cache/d/e`, { recursive: true });
  const watched = await watch({ ignore: [`${root}/cache`] });
  await expect.poll(() => ignoreMarks(() => true), { timeout: 50_000 }).toBe(3);
  expect(await watched.dirtyAfter(`mv ${root}/cache/d ${root}/d`)).toEqual([`${root}/d/`]);
  expect(await watched.dirtyAfter(`echo 1 > ${root}/d/f; echo 1 > ${root}/d/e/f`)).toEqual([
    `${root}/d/e/f`,
    `${root}/d/f`,
  ]);
});

/** Until so many directories are ignored. */
async function busy(dir: string, marks: number): Promise<void> {
  await expect
    .poll(
      async () => {
        await shell(`for i in $(seq 300); do echo $i > ${dir}/f; done`);
        return ignoreMarks((mask) => mask !== HOT);
      },
      { timeout: 50_000 },
    )
    .toBe(marks);
}

test('a link that comes in the place of a directory leads no mark elsewhere', async () => {
  mkdirSync(`${root}/node_modules`);
  mkdirSync(`${root}/kept/sub`, { recursive: true });
  const watched = await watch({ ignore: ['node_modules'] });
  await busy(`${root}/node_modules`, 1);
  // RENAME_EXCHANGE
  const exchange = `import ctypes; ctypes.CDLL(None).renameat2(-100, b'd', -100, b'l', 2)`;
  for (let times = 0; times < 5; times += 1) {
    await watched.run(
      `cd ${root}/node_modules; rm -rf d l; mkdir d; ln -s ${root}/kept l; python3 -c "${exchange}"; test -L d`,
    );
  }
  expect(await watched.dirtyAfter(`echo 1 > ${root}/kept/f; echo 1 > ${root}/kept/sub/f`)).toEqual([
    `${root}/kept/f`,
    `${root}/kept/sub/f`,
  ]);
});

test('an ignored directory that is mounted into a rule is heard of, whenever that is', async () => {
  for (const dir of ['cache', 'node_modules/x', 'www', 'later']) mkdirSync(`${root}/${dir}`, { recursive: true });
  await shell(`mount --bind ${root}/cache ${root}/www`);
  const watched = await watch({ ignore: [`${root}/cache`, 'node_modules'] });
  await busy(`${root}/node_modules`, 2);
  expect(await watched.dirtyAfter(`for i in $(seq 300); do echo $i > ${root}/cache/f; done`)).toEqual([
    `${root}/www/f`,
  ]);
  expect(await watched.dirtyAfter(`echo 1 > ${root}/cache/f`)).toEqual([`${root}/www/f`]);
  await watched.run(`mount --bind ${root}/node_modules ${root}/later`);
  await expect.poll(() => ignoreMarks((mask) => mask !== HOT)).toBe(0);
  expect(await watched.dirtyAfter(`echo 1 > ${root}/node_modules/x/f`)).toContain(`${root}/later/x/f`);
});

test('after events were lost nothing is ignored any more, but for what a path names', async () => {
  for (const dir of ['cache', 'node_modules']) mkdirSync(`${root}/${dir}`);
  const { group } = openFidGroup();
  using _ = group;
  const table = mountTable(parseMountinfo(readFileSync('/proc/self/mountinfo', 'latin1')));
  let renewed = 0;
  const ignore = [`${root}/cache`, 'node_modules'];
  const ignoring = new Ignoring({
    scope: compileScope({ rules: [ruleFor([root])], ignore, own: [] }),
    ignore,
    inodes: createInodeTable(0),
    table: () => table,
    groups: () => [{ group, filesystems: new Map() }],
    groupOf: () => group,
    onProblem: () => {},
    onRenewed: () => {
      renewed += 1;
    },
  });
  for (let times = 0; times < 256; times += 1) ignoring.happened(pathFromText(`${root}/node_modules`), 1);
  ignoring.step(1);
  expect(group.marks()).toHaveLength(2);
  await shell(`mv ${root}/node_modules ${root}/kept`);
  ignoring.renew(2);
  expect([group.marks(), ignoring.hasWork, renewed]).toEqual([[], true, 1]);
  ignoring.step(3);
  expect([group.marks().length, ignoring.hasWork]).toEqual([1, false]);
});
