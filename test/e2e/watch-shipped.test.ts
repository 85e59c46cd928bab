// Shipped hooks behind one live watch, told of the same changes at the same time, with the real programs and hostile names.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Fields } from './daemon.ts';
import { filesBelow, HOSTILE, isInstalled, system } from './shipped.ts';
import { aside, site, siteForEach } from './site-for-each.ts';

const PROGRAMS = ['restic', 'borg', 'git', 'tar'];

siteForEach();
beforeEach((context) => {
  if (!isInstalled(...PROGRAMS)) context.skip(`needs ${PROGRAMS.join(', ')}`);
});

const restic = (...args: string[]): string =>
  system('restic', ['--repo', aside('restic'), '--password-file', aside('key'), '--no-cache', ...args]);
const borg = (...args: string[]): string =>
  system('borg', args, { BORG_PASSPHRASE: 'secret', BORG_BASE_DIR: aside('borg-base') });
const git = (...args: string[]): string => system('git', ['-C', site.root, ...args]);

/** Their targets are made, and all of them are told of everything in the site but git's own files. */
function configure(): readonly string[] {
  writeFileSync(aside('key'), 'secret', { mode: 0o600 });
  for (const dir of ['tar', 'back']) mkdirSync(aside(dir));
  restic('init', '--quiet');
  borg('init', '--encryption', 'authenticated', aside('borg'));
  git('init', '--quiet');
  const secret = { passwordFile: aside('key') };
  const uses: Fields = {
    'restic-backup': { repository: aside('restic'), ...secret },
    'borg-backup': { repository: aside('borg'), baseDir: aside('borg-base'), ...secret },
    'git-autocommit': { repository: site.root },
    'tar-snapshot': { target: aside('tar') },
    quarantine: { target: aside('quarantine'), node: process.execPath },
  };
  const names = Object.keys(uses);
  const timing = { quiet: '2s', deadline: '1m', timeout: '2m' };
  const hooks = Object.fromEntries(names.map((use) => [use, { use, with: uses[use], ...timing }]));
  site.configure({ rule: { hooks: names, exclude: [join(site.root, '.git')] }, hooks });
  return names;
}

/** Latin1 names below the site's root. */
function write(name: string, text: string): void {
  writeFileSync(Buffer.from(`${site.root}/${name}`, 'latin1'), text);
}

/** What rsync would still do to make the second directory like the first, by content. */
function difference(from: string, to: string): string {
  return system('rsync', ['-rl', '--checksum', '--delete', '-n', '-i', '--exclude=/.git', `${from}/`, `${to}/`]);
}

/** What a backup gave back: each archive over the ones before. */
function restored(name: string, restore: (into: string) => void, inside = site.root): string {
  const into = join(aside('back'), name);
  mkdirSync(into);
  restore(into);
  return into + inside;
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

test('restic, borg, git, tar and quarantine: each has all of it, once, and nothing of what is gone', async () => {
  const names = configure();
  for (const dir of ['d', 'gone']) mkdirSync(site.path(dir));
  write('gone/in', 'will go');
  write('d/old', 'before');
  const daemon = await site.begin();
  for (const name of HOSTILE) for (const path of [name, `d/${name}`]) write(path, `of ${path.length}`);
  site.shell('rm -r gone; echo after >d/old; ln -s d link; mkdir empty');
  await daemon.settled();
  await Promise.all(names.map((name) => daemon.said(new RegExp(`hook ${name}: ok`))));
  await daemon.until('all to be delivered', () => (site.json(['status'])['hooks'] as Fields[]).every(isIdle));

  const fromRestic = restored('restic', (into) => {
    const snapshots = JSON.parse(restic('snapshots', '--json')) as { id: string }[];
    for (const { id } of snapshots) restic('restore', id, '--target', into);
  });
  expect(difference(site.root, fromRestic)).toBe('');
  const fromBorg = restored('borg', (into) => {
    const archives = lines(borg('list', '--short', aside('borg')));
    for (const archive of archives) {
      const env = { BORG_PASSPHRASE: 'secret', BORG_BASE_DIR: aside('borg-base') };
      system('sh', ['-c', 'cd "$1" && borg extract "$2"', 'sh', into, `${aside('borg')}::${archive}`], env);
    }
  });
  expect(difference(site.root, fromBorg)).toBe('');
  const fromTar = restored('tar', (into) => {
    const archives = readdirSync(aside('tar')).filter((name) => name.endsWith('.tar.gz'));
    for (const archive of archives.sort()) system('tar', ['-xzf', join(aside('tar'), archive), '-C', into]);
  });
  expect(difference(site.root, fromTar)).toBe('');
  const gone = readdirSync(aside('tar')).filter((name) => name.endsWith('.gone'));
  expect(gone.map((name) => readFileSync(join(aside('tar'), name), 'latin1')).join('')).toBe(
    `${site.path('gone')}\0${site.path('gone/in')}\0`,
  );
  // Git keeps no empty directories.
  const fromGit = restored('git', (into) => git('--work-tree', into, 'checkout', 'HEAD', '--', '.'), '');
  site.shell('rmdir empty');
  expect(difference(site.root, fromGit)).toBe('');
  expect(git('show', 'HEAD:.driftline-metadata')).toContain("0644 0 0 'd/old'");
  const kept = filesBelow(aside('quarantine')).filter((name) => name.endsWith('/record.json'));
  const paths = kept.map((name) => JSON.parse(readFileSync(join(aside('quarantine'), name), 'utf8')) as Fields);
  expect(new Set(paths.map(({ path }) => path)).size).toBe(2 * HOSTILE.length + 3);
}, 240_000);

function isIdle({ pending, dead, running, last }: Fields): boolean {
  return pending === 0 && dead === 0 && running === false && last === 'ok';
}
