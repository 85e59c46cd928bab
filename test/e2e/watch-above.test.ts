// What happens to the directories above a rule path happens to the rule path.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import { briefs } from './brief.ts';
import { Site } from './site.ts';

let site: Site;
let above: string;

beforeEach((context) => {
  needCapabilities(context);
  site = new Site();
  above = join(site.mount, 'above');
  mkdirSync(join(above, 'www'), { recursive: true });
  site.configure({ rule: { paths: [join(above, 'www')] } });
  site.shell('echo 1 >../above/www/index');
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

test('renamed away and back', async () => {
  const daemon = await site.begin();
  site.shell('mv ../above ../elsewhere');
  expect(briefs(await daemon.settled(), above)).toEqual(['removed www', 'removed www/index']);
  site.shell('mv ../elsewhere ../above; echo 2 >../above/www/new');
  expect(briefs(await daemon.settled(), above)).toEqual(['added www/new', 'resolved www', 'resolved www/index']);
});

test('covered by a mount, and uncovered', async () => {
  const daemon = await site.begin();
  site.shell('mount -t tmpfs tmpfs ../above; mkdir -m 755 ../above/www; echo 2 >../above/www/other');
  const covered = briefs(await daemon.settled(), above).filter((line) => !line.startsWith('coverage'));
  expect(covered).toEqual(expect.arrayContaining(['added www/other', 'removed www/index']));
  site.shell('umount ../above');
  const back = briefs(await daemon.settled(), above).filter((line) => !line.startsWith('coverage'));
  expect(back).toEqual(expect.arrayContaining(['resolved www/index', 'resolved www/other']));
});
