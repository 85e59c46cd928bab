// Mounts that come, go, hide, refuse marks or look like one another.
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shell } from './probe.ts';
import { probeForEach, scratch, watch } from './probe-for-each.ts';

probeForEach();

test('a mount over a watched path: covered, marked, dirty; and back', async () => {
  const root = scratch.tmpfs('fs');
  mkdirSync(`${root}/sub`);
  const watched = await watch([root]);
  const over = await watched.run(`mount -t tmpfs over ${root}/sub`);
  expect(over).toMatchObject([
    { kind: 'coverage', state: 'covered', coverage: { mount: `${root}/sub`, mode: 'filesystem' } },
    { kind: 'dirty', path: `${root}/sub`, subtree: true, actor: { source: 'unknown' } },
  ]);
  expect(watched.source.coverage().map(({ mount }) => mount)).toEqual([root, `${root}/sub`]);
  expect(await watched.dirtyAfter(`echo 1 > ${root}/sub/f`)).toEqual([`${root}/sub/f`]);

  const back = await watched.run(`umount ${root}/sub`);
  expect(back).toMatchObject([
    { kind: 'coverage', state: 'watched', coverage: { mount: `${root}/sub`, mode: 'filesystem' } },
    { kind: 'dirty', path: `${root}/sub`, subtree: true },
  ]);
  expect(watched.source.coverage().map(({ mount }) => mount)).toEqual([root]);
});

test('a mount over the root itself hides it, and events of what is hidden are not mistaken', async () => {
  const root = scratch.tmpfs('fs');
  const watched = await watch([root]);
  await shell(`exec 9> ${root}/open; mount -t tmpfs over ${root}; echo hidden >&9`);
  // A cookie file would lie on the new mount, and might be written before that is marked.
  await watched.waitFor((event) => event.kind === 'coverage' && event.state === 'covered');
  expect(await watched.dirtyAfter(`echo 1 > ${root}/seen`)).toEqual([`${root}/seen`]);
});

test('oneFileSystem leaves the mounts below alone, but tells that a path is covered', async () => {
  const root = scratch.tmpfs('fs');
  mkdirSync(`${root}/sub`);
  const watched = await watch([root], { oneFileSystem: true });
  const events = await watched.run(`mount -t tmpfs over ${root}/sub`);
  expect(events).toContainEqual(
    expect.objectContaining({
      state: 'covered',
      coverage: expect.objectContaining({ mount: `${root}/sub`, mode: 'none' }),
    }),
  );
  expect(await watched.dirtyAfter(`echo 1 > ${root}/sub/f`)).toEqual([]);
});

test('a filesystem can be unmounted while it is watched', async () => {
  const root = scratch.tmpfs('fs');
  const other = scratch.ext4('other');
  const watched = await watch([root, other], { who: 'map' });
  await watched.run(`for i in $(seq 300); do echo 1 > ${other}/f$i; done`);
  const events = await watched.run(`umount ${other}`);
  expect(events).toContainEqual(expect.objectContaining({ kind: 'dirty', path: other, subtree: true }));
});

test('two filesystems with one fsid are told apart', async () => {
  const first = scratch.ext4('first');
  await shell(`sync -f ${first}`);
  const second = scratch.ext4('second', 'first');
  const watched = await watch([first, second]);
  expect(watched.source.coverage().map(({ mode }) => mode)).toEqual(['filesystem', 'filesystem']);
  expect(await watched.dirtyAfter(`echo 1 > ${first}/one; mkdir ${first}/d`)).toEqual([`${first}/d/`, `${first}/one`]);
  expect((await watched.run(`echo 1 > ${second}/two`, second)).map((event) => 'path' in event && event.path)).toContain(
    `${second}/two`,
  );
});

test('one filesystem at two watched places is dirty at both', async () => {
  const fs = scratch.tmpfs('fs');
  mkdirSync(`${fs}/part`);
  const bind = scratch.bind(`${fs}/part`, 'bind');
  const watched = await watch([fs, bind]);
  expect(await watched.dirtyAfter(`echo 1 > ${fs}/part/f; echo 1 > ${fs}/g`)).toEqual([
    `${bind}/f`,
    `${fs}/g`,
    `${fs}/part/f`,
  ]);
});

test('overlayfs refuses file ids: its directories are marked one by one, and coverage says so', async () => {
  const root = scratch.overlay('merged');
  mkdirSync(`${root}/d/e`, { recursive: true });
  writeFileSync(`${root}/d/f`, '');
  const watched = await watch([root]);
  expect(watched.source.coverage()).toMatchObject([{ mount: root, mode: 'inode', gaps: 0 }]);
  expect(watched.source.coverage()[0]?.reason).toMatch(/^overlay has no file handles: its directories/);
  expect(await watched.dirtyAfter(`chmod 600 ${root}/d/f; echo 1 > ${root}/g`)).toEqual([`${root}/d/f`, `${root}/g`]);
  // Under a name that was not there when the marks were set, and under one that is not any more.
  const moved = await watched.dirtyAfter(`mv ${root}/d ${root}/new; chmod 700 ${root}/new/f; mkdir ${root}/new/e/late`);
  expect(moved).toEqual(expect.arrayContaining([`${root}/d/`, `${root}/new/`]));
  expect(await watched.dirtyAfter(`chmod 600 ${root}/new/f`)).toEqual([`${root}/new/f`]);
  expect(await watched.dirtyAfter(`ln -s x ${root}/new/e/late/link`)).toEqual([`${root}/new/e/late/link`]);
});

test('a directory of a lower layer is heard of before it is copied up, and after', async () => {
  const root = scratch.overlay('merged');
  await shell(`cd ${scratch.dir}/merged-layers/lower; mkdir -p a/b; echo 1 > a/b/f; echo 1 > a/b/g`);
  await shell(`mount -o remount ${root}`);
  const watched = await watch([root]);
  expect(await watched.dirtyAfter(`chmod 600 ${root}/a/b/f`)).toContain(`${root}/a/b/f`);
  expect(await watched.dirtyAfter(`rm ${root}/a/b/g; touch ${root}/a/b/h`)).toEqual([`${root}/a/b/g`, `${root}/a/b/h`]);
  expect(await watched.dirtyAfter(`chmod 700 ${root}/a; mkdir ${root}/a/c`)).toEqual([`${root}/a`, `${root}/a/c/`]);
  expect(await watched.dirtyAfter(`ln -s x ${root}/a/b/link`)).toEqual([`${root}/a/b/link`]);
});

test('a mount of a btrfs subvolume is watched by inode marks, a subvolume below it by content alone', async () => {
  const root = scratch.subvolume('fs');
  await shell(`btrfs -q subvolume create ${root}/nested; : > ${root}/nested/f`);
  const watched = await watch([root]);
  const [coverage] = watched.source.coverage();
  expect(coverage).toMatchObject({ mount: root, mode: 'mount' });
  expect(coverage?.reason).toMatch(/^btrfs is a btrfs subvolume: .* not all of its directories could be marked$/);
  expect(await watched.dirtyAfter(`mkdir ${root}/d; echo 1 > ${root}/nested/f`)).toEqual([
    `${root}/d/`,
    `${root}/nested/f`,
  ]);
});

test('marks: mount sees content written through the mount, and nothing else', async () => {
  const root = scratch.tmpfs('fs');
  const watched = await watch([root], { marks: 'mount' });
  expect(watched.source.coverage()).toMatchObject([{ mode: 'mount' }]);
  expect(await watched.dirtyAfter(`echo 1 > ${root}/f; chmod 600 ${root}/f; mkdir ${root}/d; rm ${root}/f`)).toEqual([
    `${root}/f`,
  ]);
});

test('a rule path that is a single file, also when it is a bind mount of its own', async () => {
  const fs = scratch.tmpfs('fs');
  writeFileSync(`${fs}/a`, '');
  writeFileSync(`${fs}/b`, '');
  await shell(`mount --bind ${fs}/a ${fs}/b`);
  const watched = await watch([`${fs}/cookies`, `${fs}/b`]);
  mkdirSync(`${fs}/cookies`);
  expect(await watched.dirtyAfter(`echo 1 > ${fs}/b`)).toEqual([`${fs}/b`]);
});

test('a rule path that does not exist: no coverage until it appears', async () => {
  const root = scratch.tmpfs('fs');
  mkdirSync(`${root}/here`);
  const watched = await watch([`${root}/here`, `${root}/later/on`]);
  const later = { mount: `${root}/later/on`, mode: 'none', reason: 'does not exist' };
  expect(watched.source.coverage()).toContainEqual(expect.objectContaining(later));
  const events = await watched.run(`mkdir -p ${root}/later/on; echo 1 > ${root}/later/on/f`);
  expect(events).toContainEqual(
    expect.objectContaining({
      state: 'watched',
      coverage: expect.objectContaining({ mount: later.mount, mode: 'filesystem' }),
    }),
  );
  expect(events).toContainEqual(expect.objectContaining({ kind: 'dirty', path: `${root}/later`, subtree: true }));
  expect(watched.source.coverage()).toHaveLength(1);
});
