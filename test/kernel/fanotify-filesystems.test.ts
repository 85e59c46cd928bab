// What each kind of change reports on ext4, xfs, btrfs and tmpfs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import * as fan from 'driftline/fanotify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { missingCapability, needCapabilities } from './capability.ts';
import { CATALOGUE } from './matrix/catalogue.ts';
import { linesOf, sh } from './matrix/lines.ts';
import { mappedStore } from './matrix/system-calls.ts';
import { Scratch } from './scratch.ts';

const path = fan.pathFromText;
const CONTENT = fan.FAN_MODIFY | fan.FAN_CLOSE_WRITE;
const SELF = fan.FAN_DELETE_SELF | fan.FAN_MOVE_SELF;
const ENTRIES = fan.FAN_CREATE | fan.FAN_DELETE | fan.FAN_MOVE | fan.FAN_RENAME | fan.FAN_ONDIR;

describe.for(['ext4', 'xfs', 'btrfs', 'tmpfs'] as const)('on %s', (type) => {
  let scratch: Scratch;
  let root: string;
  let groups: Record<'ids' | 'mount' | 'descriptors', fan.FanotifyGroup>;

  beforeAll(() => {
    if (missingCapability() !== undefined) return;
    scratch = new Scratch();
    root = scratch[type]('fs');
    const open = (flags: number): fan.FanotifyGroup => fan.FanotifyGroup.open({ flags });
    groups = {
      ids: open(fan.FAN_REPORT_DFID_NAME_TARGET),
      mount: open(fan.FAN_REPORT_DFID_NAME_TARGET),
      descriptors: open(fan.FAN_CLASS_NOTIF | fan.FAN_REPORT_FD_ERROR),
    };
  });

  beforeEach(needCapabilities);

  afterAll(() => {
    for (const group of Object.values(groups ?? {})) group.close();
    scratch?.[Symbol.dispose]();
  });

  /** Also what a test that failed left behind. */
  function flush(): void {
    for (const group of Object.values(groups)) {
      group.flush(fan.FAN_MARK_FILESYSTEM);
      group.flush(fan.FAN_MARK_MOUNT);
      linesOf(group);
    }
  }

  const changes = Object.entries(CATALOGUE).filter(([, { on }]) => on?.includes(type) ?? true);
  test.for(changes)('%s', ([name, { before = 'true', run, ids, mount = [], descriptors = [] }]) => {
    const at = `${root}/${name.replaceAll(/\W/g, '-')}`;
    mkdirSync(at);
    flush();
    sh(at, before);
    const access = ids.some((line) => line.startsWith('ACCESS')) ? fan.FAN_ACCESS : 0;
    groups.ids.mark(fan.FAN_MARK_FILESYSTEM, CONTENT | SELF | ENTRIES | fan.FAN_ATTRIB | access, path(root));
    groups.mount.mark(fan.FAN_MARK_MOUNT, CONTENT, path(root));
    groups.descriptors.mark(fan.FAN_MARK_FILESYSTEM, CONTENT, path(root));
    sh(at, run);
    // First those that hold what is removed.
    const byDescriptor = linesOf(groups.descriptors);
    const seen = { descriptors: byDescriptor, mount: linesOf(groups.mount), ids: linesOf(groups.ids) };
    expect(seen).toEqual({ ids, mount, descriptors });
  });

  test('a store into a mapping whose file was closed: nothing, until the mapping goes', async () => {
    flush();
    sh(root, 'truncate -s 4096 mapped');
    groups.ids.mark(fan.FAN_MARK_FILESYSTEM, CONTENT, path(root));
    const child = spawn('bash', ['-c', mappedStore('mapped')], { cwd: root, stdio: 'pipe' });
    const ended = once(child, 'close');
    await once(child.stdout, 'data');
    expect(linesOf(groups.ids)).toEqual([]);
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
    expect(linesOf(groups.ids)).toEqual(["CLOSE_WRITE 'mapped' F"]);
  });
});
