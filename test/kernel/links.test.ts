// Changes of files through names that the event does not tell, or that are gone.
import { spawn } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { createInodeTable, type InodeTable, inodeKey } from '../../src/domain/inode-table.ts';
import { type Probe, shell } from './probe.ts';
import { probeForEach, scratch, watch } from './probe-for-each.ts';

let fs: string;
let file: string;
let table: InodeTable;

probeForEach();
beforeEach(() => {
  table = createInodeTable(1);
});

const FILESYSTEMS = ['tmpfs', 'ext4', 'xfs', 'btrfs', 'overlay'] as const;

/** A file below the watched directory, one outside, and a watch that knows nothing of either inode. */
async function begin(type: (typeof FILESYSTEMS)[number]): Promise<Probe> {
  fs = scratch[type]('fs');
  file = `${fs}/root/f`;
  for (const dir of [`${fs}/root`, `${fs}/outside`]) mkdirSync(dir);
  for (const one of [file, `${fs}/outside/g`]) writeFileSync(one, 'seed');
  return await watch([`${fs}/root`], { inodes: table.memory });
}

const keyOf = (path: string): number => inodeKey(statSync(path, { bigint: true }).ino);
const links = (events: Awaited<ReturnType<Probe['run']>>) => events.filter(({ kind }) => kind === 'linked');

test.each(FILESYSTEMS)('%s: what happens to an inode that nobody knows yet is noted', async (type) => {
  const watched = await begin(type);
  const [key, other] = [keyOf(file), keyOf(`${fs}/outside/g`)];
  const moment = table.nextMoment();
  // The marks of overlayfs do not tell of link(2) outside of what is covered.
  const events = await watched.run(`cd ${fs}; ln root/f outside/alias; echo 1 > outside/alias`);
  expect(links(events)).toEqual([]);
  expect(table.hasChangedSince(key, moment)).toBe(true);
  expect(table.hasChangedSince(other, moment)).toBe(false);
});

test.each(FILESYSTEMS)('%s: what is written through a name that is gone is heard of', async (type) => {
  const watched = await begin(type);
  table.add(keyOf(file), 0);
  await shell(`mkfifo ${scratch.dir}/go`);
  const script = 'ln root/f outside/x; exec 3>> outside/x; rm outside/x; echo > $0; read < $0; echo 2 >&3';
  const writer = spawn('bash', ['-c', script, `${scratch.dir}/go`], { cwd: fs, stdio: 'ignore' });
  await watched.run(`read < ${scratch.dir}/go`);
  const events = await watched.run(
    `echo > ${scratch.dir}/go; while [ ! -s ${file} ] || ! grep -q 2 ${file}; do sleep 0.01; done`,
  );
  writer.kill();
  expect(links(events)).not.toEqual([]);
  // Its own name is no other one.
  expect(links(await watched.run(`echo 3 >> ${file}`))).toEqual([]);
});
