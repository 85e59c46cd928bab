// What logrotate and apt do while a watch runs: their scripts accept it through the control socket, and nothing else.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Fields } from './daemon.ts';
import { PROGRAM } from './program.ts';
import { environmentOf, HOOKS, isInstalled, system } from './shipped.ts';
import { aside, site, siteForEach } from './site-for-each.ts';

const PACKAGE = 'driftline-watch-test';

siteForEach();
beforeEach(() => {
  writeFileSync(aside('driftline'), `#!/bin/sh\nexec ${process.execPath} ${PROGRAM} "$@"\n`, { mode: 0o755 });
});

/** As `status` of the watch has it. */
const openDrift = (): unknown => site.json(['status'])['openDrift'];

test('logrotate: copytruncate, compress and create; what was tampered with stays drift', async (context) => {
  if (!isInstalled('logrotate')) context.skip('needs logrotate');
  site.configure({ rule: { attributes: 'growing' } });
  site.shell('chmod 755 .; mkdir -m 755 copied created');
  const logs = ['copied/my log.log', 'copied/$(touch pwn).log', "created/it's.log", 'created/-rf.log'];
  for (const name of logs) writeFileSync(site.path(name), `${name} 1\n`.repeat(100));
  writeFileSync(site.path('created/tampered.log'), 'evidence\n'.repeat(100));
  const daemon = await site.begin();
  for (const name of logs) appendFileSync(site.path(name), 'more\n');
  const script = (name: string): string => `${HOOKS}/${name} --config ${site.config} "$1"`;
  // Between the notes and the acceptance somebody makes a log forget.
  const forget = `sed -i s/evidence/nothing/ ${site.path('created/tampered.log.1')}`;
  const section = (dir: string, options: string, meanwhile: string): string =>
    `${site.path(dir)}/*.log {\n rotate 2\n ${options}\n firstaction\n ${script('logrotate-prerotate')}\n endscript\n` +
    ` lastaction\n ${meanwhile}\n ${script('logrotate-postrotate')}\n endscript\n}\n`;
  const text = section('copied', 'copytruncate\n compress', 'true') + section('created', 'create', forget);
  writeFileSync(aside('rotate.conf'), text, { mode: 0o644 });
  const ran = spawnSync('logrotate', ['-f', '-s', aside('rotate.state'), aside('rotate.conf')], {
    env: { ...environmentOf({ RUNTIME: aside('run') }), DRIFTLINE: aside('driftline') },
    encoding: 'utf8',
  });
  expect(ran.status, ran.stderr).toBe(0);
  await daemon.settled();
  const left = (site.check()['drift'] as Fields[]).map(({ path }) => String(path));
  expect(left.sort()).toEqual(['created/tampered.log', 'created/tampered.log.1'].map((name) => site.path(name)));
  expect(openDrift()).toMatchObject({ removed: 0 });
  const accepted = site.journal().filter(({ type }) => type === 'accept');
  expect(accepted.length).toBeGreaterThan(0);
  expect(JSON.stringify(accepted)).not.toContain('tampered');
}, 240_000);

/** A package with these files below the site's root, and a script that runs when it is installed. */
function build(files: readonly string[], postinst: string): string {
  const stage = aside('stage');
  for (const name of files) {
    const file = `${stage}${site.path(name)}`;
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${name}\n`);
  }
  mkdirSync(`${stage}/DEBIAN`);
  const control = `Package: ${PACKAGE}\nVersion: 1\nArchitecture: all\nMaintainer: test <t@example.org>\nDescription: test\n`;
  writeFileSync(`${stage}/DEBIAN/control`, control);
  writeFileSync(`${stage}/DEBIAN/postinst`, `#!/bin/sh\n${postinst}\n`, { mode: 0o755 });
  system('dpkg-deb', ['--root-owner-group', '--build', stage, aside('it.deb')]);
  return aside('it.deb');
}

test('apt: what the package holds is accepted, what its script made and changed is not', async (context) => {
  if (process.getuid?.() !== 0 || !isInstalled('apt-get', 'dpkg-deb')) context.skip('needs root and dpkg');
  const daemon = await site.begin();
  const names = ['pkg/plain', 'pkg/-rf', 'pkg/$(touch pwn)', 'pkg/ sp  ace', 'pkg/sub/tampered'];
  const postinst = `echo evil >>${site.path('pkg/sub/tampered')}; echo made >${site.path('made')}`;
  const config = aside('apt.conf');
  const shipped = readFileSync(join(HOOKS, '../packaging/apt/80driftline'), 'utf8');
  writeFileSync(config, shipped.replaceAll('/usr/lib/driftline/hooks', HOOKS));
  try {
    const install = 'apt-get -y -q -o DPkg::Lock::Timeout=300 install "$1" 2>&1';
    const said = system('sh', ['-c', install, 'sh', build(names, postinst)], {
      ...environmentOf({ PROGRAM: aside('driftline'), CONFIG: site.config, RUNTIME: aside('run') }),
      APT_CONFIG: config,
      DEBIAN_FRONTEND: 'noninteractive',
    });
    expect(said).toMatch(/apt-post-invoke: \d+ drifts are as the packages have them: accepted/);
    await daemon.settled();
    const left = (site.check()['drift'] as Fields[]).map(({ kind, path }) => `${kind} ${path}`);
    expect(left).toContain(`added ${site.path('made')}`);
    expect(left).toContain(`added ${site.path('pkg/sub/tampered')}`);
    expect(left.filter((text) => /plain|rf$|pwn|ace$/.test(text))).toEqual([]);
    await daemon.until('the watch to know', () => {
      const { added, removed, changed } = openDrift() as Record<string, number>;
      return removed === 0 && changed === 0 && added === left.length;
    });
  } finally {
    spawnSync('dpkg', ['--purge', '--force-all', PACKAGE]);
  }
}, 240_000);
