// Every kind of change, as the running watch records it: what state says, not what events said.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { missingCapability, needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import type { Daemon } from './daemon.ts';
import { Site } from './site.ts';

const runnable = missingCapability() === undefined;

beforeEach(needCapabilities);

/** Of a site. */
const QUIET_MS = 40;
/** Files are stamped with the time of the last tick. */
const COARSE_CLOCK_MS = 10;

const SEED = `
for name in append rewrite truncate mapped chmod chown xattr gone away between over victim linked undone undone-quick edited \
  twice back swap-file replaced quick seen restored; do echo "$name" >$name; done
ln -s nowhere link; ln -s nowhere link2; mkdir a b swap-dir tree tree/sub leaving leaving/sub empty dirmode home home/in
for dir in tree tree/sub leaving leaving/sub home home/in; do echo 1 >$dir/one; echo 2 >$dir/two; done
mkdir -p ../outside/arriving/sub; echo 1 >../outside/arriving/sub/one; echo x >../outside/file; mkfifo pipe
find . -exec touch -h -d @1000000000 {} +; touch -d @1100000000 over`;

const MAPPED = `python3 - <<'END'
import mmap
with open('mapped', 'r+b') as f:
    m = mmap.mmap(f.fileno(), 0)
    m[0] = ord('M'); m.flush(); m.close()
END`;

const CASES: readonly (readonly [what: string, script: string, records: readonly string[]])[] = [
  ['append', 'echo more >>append', ['changed append: size mtime digest']],
  ['rewrite with equal length', 'echo REWRITE >rewrite', ['changed rewrite: mtime digest']],
  ['truncate(2)', 'truncate -s 3 truncate', ['changed truncate: size mtime digest']],
  ['mapped write, at close', MAPPED, ['changed mapped: mtime digest']],
  ['chmod', 'chmod 4711 chmod', ['changed chmod: mode']],
  ['chown', 'chown 12:34 chown', ['changed chown: uid gid']],
  ['xattr', `setfattr -n trusted.t -v 1 xattr`, ['changed xattr: xattrs']],
  ['chmod of a directory', 'chmod 700 dirmode', ['changed dirmode: mode']],
  ['created', 'echo 1 >new; mkfifo newpipe', ['added new', 'added newpipe']],
  ['deleted', 'rm gone pipe; rmdir empty', ['removed empty', 'removed gone', 'removed pipe']],
  ['renamed', 'mv away away2', ['moved away2 from away']],
  ['renamed into a directory', 'mv between a/between', ['moved a/between from between']],
  ['renamed over another', 'mv over victim', ['changed victim: size mtime digest', 'removed over']],
  [
    'a symlink made, aimed elsewhere, removed',
    'ln -s x newlink; ln -sfn y link; rm link2',
    ['added newlink', 'changed link: size mtime target', 'removed link2'],
  ],
  ['a hard link', 'ln linked linked2', ['added linked2']],
  [
    'a file becomes a directory',
    'rm swap-file; mkdir swap-file; echo 1 >swap-file/in',
    ['added swap-file/in', 'changed swap-file: type mode size mtime'],
  ],
  ['a directory becomes a file', 'rmdir swap-dir; echo 1 >swap-dir', ['changed swap-dir: type mode size mtime']],
  ['deleted and created at once', 'rm replaced; echo other >replaced', ['changed replaced: size mtime digest']],
  [
    'an editor: temporary file and rename',
    'echo edit >.edited.swp~; mv .edited.swp~ edited',
    ['changed edited: size mtime digest'],
  ],
  ['sed -i', 'sed -i s/quick/QUICK/ quick', ['changed quick: mtime digest']],
  ['a write and its undoing', 'echo x >>undone; echo undone >undone', ['changed undone: mtime']],
  ['a temporary file', 'echo 1 >tmp1; rm tmp1; mkdir tmp2; rmdir tmp2', []],
  ['a directory moves', 'mv tree b/tree', ['moved b/tree from tree (5)']],
  [
    'a directory leaves',
    'mv leaving ../outside/',
    [
      'removed leaving',
      'removed leaving/one',
      'removed leaving/sub',
      'removed leaving/sub/one',
      'removed leaving/sub/two',
      'removed leaving/two',
    ],
  ],
  [
    'a directory arrives',
    'mv ../outside/arriving .',
    ['added arriving', 'added arriving/sub', 'added arriving/sub/one'],
  ],
  [
    'a whole path at once',
    'mkdir -p p/q/r; echo 1 >p/q/r/file',
    ['added p', 'added p/q', 'added p/q/r', 'added p/q/r/file'],
  ],
  ['outside', 'echo 1 >>../outside/file; rm ../outside/file', []],
];

describe.each(['tmpfs', 'ext4'] as const)('%s', (filesystem) => {
  let site: Site;
  let daemon: Daemon;

  beforeAll(async () => {
    if (!runnable) return;
    site = new Site({ filesystem });
    site.shell(SEED);
    daemon = await site.begin();
  });
  afterAll(async () => await site?.[Symbol.asyncDispose]());

  const run = async (script: string) => {
    site.shell(script);
    return await daemon.settled();
  };
  const found = async (script: string) => briefs(await run(script), site.root);

  test('nothing at first, and a coverage of the filesystem', async () => {
    expect(await daemon.settled()).toEqual([]);
    expect(site.json(['status'])).toMatchObject({ coverage: [{ mount: site.mount, mode: 'filesystem', gaps: 0 }] });
  });

  test.each(CASES)('%s', async (_, script, records) => {
    expect(await found(script)).toEqual(records);
  });

  test('drift that changes again keeps its id and counts on', async () => {
    const [first] = await run('echo 1 >>seen');
    const [second] = await run('echo 2 >>seen');
    expect(first).toMatchObject({ kind: 'changed', seq: 1, path: site.path('seen') });
    expect(second).toMatchObject({ kind: 'changed', seq: 2, id: first?.['id'] });
    const [third] = await run('rm seen');
    expect(third).toMatchObject({ kind: 'removed', seq: 3, id: first?.['id'] });
  });

  test('drift that goes back to the baseline is resolved', async () => {
    const [changed] = await run('cp -p restored ../outside/kept; echo 1 >>restored');
    const [resolved, ...rest] = await run('cp -p ../outside/kept restored');
    expect(resolved).toMatchObject({ type: 'resolved', id: changed?.['id'], path: site.path('restored') });
    expect(rest).toEqual([]);
    expect(await run('chmod 600 restored; chmod 644 restored; touch -r ../outside/kept restored')).toEqual([]);
  });

  test('what was added and goes is resolved', async () => {
    expect(await found('echo 1 >visitor')).toEqual(['added visitor']);
    expect(await found('rm visitor')).toEqual(['resolved visitor']);
  });

  test('moved, moved again, and back', async () => {
    const [first] = await run('mv twice twice2');
    const [second, ...more] = await run('mv twice2 a/twice3');
    expect(second).toMatchObject({ kind: 'moved', seq: 2, id: first?.['id'], from: site.path('twice') });
    expect(second).toMatchObject({ path: site.path('a/twice3') });
    expect(more).toEqual([]);
    const [back, ...rest] = await run('mv a/twice3 twice');
    expect(back).toMatchObject({ type: 'resolved', id: first?.['id'] });
    expect(rest).toEqual([]);
  });

  test('a file in a moved directory is edited, and all goes back', async () => {
    expect(await found('mv home house')).toEqual(['moved house from home (5)']);
    const edited = await found('echo 1 >>house/in/one');
    expect(edited).toContain('changed house/in/one from home/in/one: size mtime digest');
    expect(edited.filter((line) => !line.startsWith('moved house from home'))).toHaveLength(1);
    expect(await found('chmod 600 house/one')).toContain('changed house/one from home/one: mode');
    const back = await found('mv house home');
    expect(back).toEqual(expect.arrayContaining(['changed home/in/one: size mtime digest', 'changed home/one: mode']));
    expect(back.filter((line) => line.startsWith('resolved'))).toEqual(['resolved house']);
    expect(await found('chmod 644 home/one')).toEqual(['resolved home/one']);
  });

  test('how long after the close a change is in the journal', async () => {
    const beyondQuietMs: number[] = [];
    for (let n = 0; n < 50; n += 1) {
      const [record] = await run(`echo ${n} >latency`);
      const closed = record?.['after'] as { readonly ctime: string };
      beyondQuietMs.push(Date.parse(String(record?.['time'])) - Date.parse(closed.ctime) - QUIET_MS);
    }
    beyondQuietMs.sort((a, b) => a - b);
    expect(beyondQuietMs[0]).toBeGreaterThanOrEqual(-COARSE_CLOCK_MS);
    process.stdout.write(
      `${filesystem}: quiet + ${beyondQuietMs[25]} ms (median), ${beyondQuietMs[49]} ms (worst of 50)\n`,
    );
  });

  test('in the end a check finds what is open, and the journal is whole', async () => {
    await daemon.settled();
    const open = await openDrift(site);
    const check = site.check()['drift'] as Record<string, unknown>[];
    expect(briefs(open, site.root)).toEqual(briefs(check, site.root));
    expect(open.length).toBeGreaterThan(30);
    expect(site.driftline('journal', '--verify').status).toBe(0);
  });
});

/** What the journal says is open: the last word on each drift. */
async function openDrift(site: Site): Promise<Record<string, unknown>[]> {
  const open = new Map<unknown, Record<string, unknown>>();
  for (const record of site.journal()) {
    if (record['type'] === 'drift' && record['rule'] === 'site') open.set(record['id'], record);
    if (record['type'] === 'resolved') open.delete(record['id']);
  }
  return [...open.values()];
}
