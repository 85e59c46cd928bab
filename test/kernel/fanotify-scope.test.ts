// How far a mark reaches: mounts, layers, subvolumes, and what ends it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import * as fan from 'driftline/fanotify';
import { beforeEach, describe, expect, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { drain, linesOf } from './matrix/lines.ts';
import { path, Stage } from './matrix/stage.ts';

beforeEach(needCapabilities);

const NAMES = fan.FAN_REPORT_DFID_NAME_TARGET;
const EVENTS = fan.FAN_MODIFY | fan.FAN_CREATE | fan.FAN_DELETE | fan.FAN_RENAME | fan.FAN_ONDIR;

function watch(stage: Stage, at: string, mask = EVENTS): fan.FanotifyGroup {
  const group = stage.open(NAMES);
  group.mark(fan.FAN_MARK_FILESYSTEM, mask, path(at));
  return group;
}

function fsidIn(group: fan.FanotifyGroup): string[] {
  return drain(group).flatMap(({ records }) => records.flatMap((record) => ('fsid' in record ? [record.fsid] : [])));
}

describe('umount(8)', () => {
  test('takes the marks along without an event; mounted anew there are none', () => {
    using stage = new Stage('ext4');
    const group = stage.watch(NAMES, EVENTS);
    execFileSync('umount', [stage.root]);
    expect([group.marks(), group.read()]).toEqual([[], []]);
    stage.scratch.remount('fs');
    expect(stage.after(group, 'echo > f')).toEqual([]);
  });

  test('leaves the mark while another mount shows the filesystem, or a descriptor holds it', () => {
    using stage = new Stage();
    const bind = stage.scratch.bind(stage.root, 'bind');
    const group = stage.watch(NAMES, EVENTS);
    expect(stage.after(group, `umount '${bind}'; mount -o remount,ro .; mount -o remount,rw .; echo > f`)).toEqual([
      "MODIFY|CREATE 'f' F",
    ]);
    expect(stage.after(group, `exec 3>>f; umount -l '${stage.root}'; echo x >&3`)).toEqual(["MODIFY 'f' F"]);
  });

  test('is EBUSY while an event waits that holds its file; file ids hold nothing', () => {
    using stage = new Stage();
    const ids = stage.watch(NAMES, fan.FAN_MODIFY);
    const descriptors = stage.watch(fan.FAN_CLASS_NOTIF, fan.FAN_MODIFY);
    stage.sh('echo > f');
    expect(() => execFileSync('umount', [stage.root], { stdio: 'pipe' })).toThrow(/busy/);
    linesOf(descriptors);
    execFileSync('umount', [stage.root]);
    expect(linesOf(ids)).toEqual(["MODIFY 'f' F"]);
  });
});

describe('layers', () => {
  test('the filesystem below an overlay sees what is written through it', () => {
    using stage = new Stage();
    const overlay = stage.scratch.overlay('merged');
    const below = `${stage.scratch.dir}/merged-layers`;
    const filesystem = watch(stage, below);
    const mount = stage.open(NAMES);
    mount.mark(fan.FAN_MARK_MOUNT, fan.FAN_MODIFY, path(below));
    stage.sh(`echo > '${overlay}/f'`);
    expect(linesOf(filesystem)).toEqual(["MODIFY|CREATE 'f' F"]);
    expect(linesOf(mount)).toEqual([]);
  });

  test('what an overlay shows has paths of the overlay, by descriptor', () => {
    using stage = new Stage();
    const overlay = stage.scratch.overlay('merged');
    const group = stage.open(fan.FAN_CLASS_NOTIF);
    group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_MODIFY, path(overlay));
    writeFileSync(`${overlay}/f`, 'text');
    const [event] = group.read();
    using resolver = new fan.PathResolver();
    expect(resolver.resolve(event!).paths).toEqual([`${overlay}/f`]);
    fan.closeEvent(event!);
  });

  test('a mount over a marked path raises nothing but a mount event', () => {
    using stage = new Stage();
    stage.sh('mkdir d');
    const group = stage.watch(NAMES, EVENTS | fan.FAN_ATTRIB);
    expect(stage.after(group, 'mount -t tmpfs none d; umount d')).toEqual([]);
  });

  test('what is written to a mounted image raises nothing on the image', () => {
    using stage = new Stage();
    const at = stage.scratch.ext4('image');
    const group = stage.open(NAMES);
    group.mark(fan.FAN_MARK_INODE, fan.FAN_MODIFY, path(`${stage.scratch.dir}/image.img`));
    stage.sh(`echo text > '${at}/f'; sync -f '${at}'`);
    expect(linesOf(group)).toEqual([]);
  });
});

describe('filesystem ids', () => {
  test('clones of one image have one id, and events do not tell which it was', () => {
    using stage = new Stage('ext4');
    stage.sh('sync -f .');
    const clone = stage.scratch.ext4('clone', 'fs');
    expect(fan.fsidOfPath(path(clone))).toBe(fan.fsidOfPath(path(stage.root)));
    const group = stage.watch(NAMES, fan.FAN_CREATE);
    group.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_CREATE, path(clone));
    stage.sh(`echo > f; echo > '${clone}/g'`);
    expect(new Set(fsidIn(group)).size).toBe(1);
  });

  test('a btrfs top level covers its subvolumes, under its own id', () => {
    using stage = new Stage();
    const top = stage.scratch.btrfs('pool');
    stage.sh(`btrfs -q subvolume create '${top}/sv'`);
    const subvolume = stage.scratch.remount('sv', ['subvol=sv'], 'pool');
    const group = watch(stage, top);
    stage.sh(`echo > '${subvolume}/f'`);
    expect(new Set(fsidIn(group))).toEqual(new Set([fan.fsidOfPath(path(top))]));
    expect(fan.fsidOfPath(path(subvolume))).not.toBe(fan.fsidOfPath(path(top)));
    // A snapshot is one entry; what appears in it is not told, nor what goes with it.
    expect(stage.after(group, `btrfs -q subvolume snapshot '${subvolume}' '${top}/snap'`)).toEqual([
      "CREATE|ONDIR 'snap' F",
    ]);
    expect(readFileSync(`${top}/snap/f`, 'utf8')).toBe('\n');
    expect(stage.after(group, `btrfs -q subvolume delete '${top}/snap'`)).toEqual(["DELETE|ONDIR 'snap' F"]);
  });
});
