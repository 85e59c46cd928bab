// A name that a file gets or loses, and a change under a name outside the rules, of an inode that nobody knows yet.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createInodeTable, inodeKey } from '../../src/domain/inode-table.ts';
import { probeForEach, scratch, watch } from './probe-for-each.ts';

probeForEach();

test.each([
  ['tmpfs', 'ln root/f outside/alias'],
  ['ext4', 'ln root/f outside/alias'],
  ['xfs', 'ln root/f outside/alias'],
  ['btrfs', 'ln root/f outside/alias'],
  // The marks there do not tell of link(2).
  ['overlay', 'ln root/f outside/alias; echo 1 > outside/alias'],
] as const)('%s: %s', async (type, script) => {
  const fs = scratch[type]('fs');
  const root = `${fs}/root`;
  for (const dir of [root, `${fs}/outside`]) mkdirSync(dir);
  const file = `${root}/f`;
  writeFileSync(file, 'seed');
  const key = inodeKey(statSync(file, { bigint: true }).ino);
  const table = createInodeTable(1);
  const watched = await watch([root], { inodes: table.memory });
  const moment = table.moment();
  await watched.run(`echo 1 > ${file}`);
  expect(table.isLinkedSince(key, moment)).toBe(false);
  const events = await watched.run(`cd ${fs}; ${script}`);
  expect(table.isLinkedSince(key, moment)).toBe(true);
  expect(events.filter(({ kind }) => kind === 'linked')).toEqual([]);
});
