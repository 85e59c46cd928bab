// Somebody who owns a directory above a rule path can put anything there: the rule stays where it is, and the watch alive.
import { lchownSync, mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test as plain } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { found, type Scratch, test } from './program.ts';
import { Site } from './site.ts';

function expectRemoved(scratch: Scratch): void {
  const at = (name: string): string => join(scratch.tree, name);
  renameSync(at('site'), at('away'));
  symlinkSync('evil', at('site'));
  lchownSync(at('site'), 65534, 65534);
  const swapped = scratch.check();
  expect(found(swapped, scratch)).toEqual(['removed tree/site/www', 'removed tree/site/www/index']);
  expect(swapped.stderr).toContain(`behind the symbolic link ${at('site')}, which others can change`);
}

test('a directory above a rule path swapped for a link: what was there is removed', ({ scratch }) => {
  for (const name of ['site/www/index', 'evil/www/index']) scratch.write(name, 'same\n');
  scratch.configure(`rules: [{ name: www, paths: [${scratch.tree}/site/www] }]`);
  scratch.init();
  expectRemoved(scratch);
});

test('the same without a configuration', ({ scratch }) => {
  for (const name of ['site/www/index', 'evil/www/index']) scratch.write(name, 'same\n');
  scratch.init(join(scratch.tree, 'site/www'));
  expectRemoved(scratch);
});

test('a trusted link above that leads elsewhere now: check says what is not compared any more', ({ scratch }) => {
  for (const name of ['one/www/index', 'two/www/index']) scratch.write(name);
  const link = join(scratch.tree, 'link');
  symlinkSync('one', link);
  scratch.configure(`rules: [{ name: www, paths: [${link}/www] }]`);
  scratch.init();
  unlinkSync(link);
  symlinkSync('two', link);
  const { stderr, status } = scratch.check();
  expect(status).toBe(1);
  expect(stderr).toContain(`the baseline has ${scratch.tree}/one/www, which no rule covers any more`);
});

describe('a running watch', () => {
  let site: Site;
  beforeEach((context) => {
    needCapabilities(context);
    site = new Site();
  });
  afterEach(async () => await site?.[Symbol.asyncDispose]());

  plain('survives a loop above its rule path, and sees what comes back', async () => {
    const [above, away] = [site.path('site'), join(site.outside, 'away')];
    mkdirSync(join(above, 'www'), { recursive: true });
    site.configure({ rule: { paths: [join(above, 'www')] } });
    const daemon = await site.begin();
    renameSync(above, away);
    symlinkSync('site', above);
    await daemon.until('the path to be missing', () => /site.www is lost/.test(daemon.stderr()));
    unlinkSync(above);
    renameSync(away, above);
    await daemon.said(/site.www is watched/);
    await daemon.settled();
    writeFileSync(join(above, 'www/new'), 'x');
    await daemon.record(({ kind, path }) => kind === 'added' && path === join(above, 'www/new'));
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});
