// What the kernel makes of events that wait: merged ones, their order, and those of the reader itself (fanotify(7)).
import { closeSync, linkSync, openSync, readSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import * as fan from 'driftline/fanotify';
import { beforeEach, describe, expect, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { drain, linesOf } from './matrix/lines.ts';
import { path, Stage } from './matrix/stage.ts';

beforeEach(needCapabilities);

const NAMES = fan.FAN_REPORT_DFID_NAME_TARGET;
const CONTENT = fan.FAN_MODIFY | fan.FAN_CLOSE_WRITE;

describe('merging', () => {
  test('many writes of one process are one event, those of two processes are two', () => {
    using stage = new Stage();
    const group = stage.watch(NAMES, CONTENT);
    for (let index = 0; index < 1000; index += 1) writeFileSync(stage.at('f'), 'x');
    expect(group.queueDepth()).toBe(1);
    stage.sh('echo x >> f');
    expect(drain(group)).toHaveLength(2);
  });

  test('a later event joins the slot of an earlier one: order between files is lost', () => {
    using stage = new Stage();
    writeFileSync(stage.at('a'), '');
    const group = stage.watch(NAMES, CONTENT | fan.FAN_CREATE);
    const a = openSync(stage.at('a'), 'r+');
    const b = openSync(stage.at('b'), 'w');
    writeSync(b, 'x');
    writeSync(a, 'x');
    closeSync(b);
    writeSync(a, 'x');
    closeSync(a);
    expect(linesOf(group)).toEqual(["MODIFY|CLOSE_WRITE|CREATE 'b' F", "MODIFY|CLOSE_WRITE 'a' F"]);
  });

  test('the mask is what happened, not what is: the same for a link that is there and one that is gone', () => {
    using stage = new Stage();
    writeFileSync(stage.at('f'), '');
    const link = (): void => linkSync(stage.at('f'), stage.at('l'));
    const unlink = (): void => unlinkSync(stage.at('l'));
    const group = stage.watch(NAMES, fan.FAN_CREATE | fan.FAN_DELETE);
    for (const act of [link, unlink, link]) act();
    const there = linesOf(group);
    for (const act of [unlink, link, unlink]) act();
    expect([there, linesOf(group)]).toEqual([["CREATE|DELETE 'l' F"], ["CREATE|DELETE 'l' F"]]);
  });

  test('renames there, back and there again are two events: a replay would end at the wrong name', () => {
    using stage = new Stage();
    writeFileSync(stage.at('a'), '');
    const group = stage.watch(NAMES, fan.FAN_RENAME);
    for (const [from = '', to = ''] of ['ac', 'ca', 'ac']) renameSync(stage.at(from), stage.at(to));
    expect(drain(group)).toHaveLength(2);
  });

  test('a name that is made and removed again and again is told by its file ids', () => {
    using stage = new Stage();
    const group = stage.watch(NAMES, fan.FAN_CREATE | fan.FAN_DELETE);
    for (let round = 0; round < 3; round += 1) {
      writeFileSync(stage.at('t'), '');
      unlinkSync(stage.at('t'));
    }
    expect(linesOf(group)).toEqual(["CREATE|DELETE 't' F", "CREATE|DELETE 't' F", "CREATE|DELETE 't' F"]);
  });
});

describe("the reader's own", () => {
  test('reading raises what it asked for, with its own process id', () => {
    using stage = new Stage();
    writeFileSync(stage.at('f'), 'text');
    const group = stage.watch(NAMES, fan.FAN_ACCESS | fan.FAN_OPEN | fan.FAN_CLOSE);
    const fd = openSync(stage.at('f'), 'r');
    readSync(fd, Buffer.alloc(4));
    closeSync(fd);
    const events = drain(group);
    expect(new Set(events.map(({ pid }) => pid))).toEqual(new Set([process.pid]));
    expect(events.reduce((mask, event) => mask | event.mask, 0)).toBe(
      fan.FAN_ACCESS | fan.FAN_OPEN | fan.FAN_CLOSE_NOWRITE,
    );
  });

  test('what is done by the descriptor of an event raises nothing, in no group', () => {
    using stage = new Stage();
    writeFileSync(stage.at('f'), 'text');
    const all = fan.FAN_ACCESS | fan.FAN_MODIFY | fan.FAN_OPEN | fan.FAN_CLOSE;
    const own = stage.open(fan.FAN_CLASS_NOTIF, { eventFlags: fan.O_RDWR });
    own.mark(fan.FAN_MARK_FILESYSTEM, fan.FAN_OPEN, path(stage.root));
    closeSync(openSync(stage.at('f'), 'r'));
    const other = stage.watch(NAMES, all);
    const [event] = own.read();
    readSync(event!.fd, Buffer.alloc(4));
    writeSync(event!.fd, 'unseen');
    fan.closeEvent(event!);
    expect([own.read(), other.read()]).toEqual([[], []]);
    expect(stage.after(other, 'exec 3<f; exec 3<&-')).toEqual(["CLOSE_NOWRITE|OPEN 'f' F"]);
  });

  test('a directory that is ignored hides what is written through a link in it', () => {
    using stage = new Stage();
    stage.sh('mkdir ign ok; echo > ok/f; ln ok/f ign/f');
    const group = stage.watch(NAMES, fan.FAN_MODIFY);
    const mask = fan.FAN_MODIFY | fan.FAN_EVENT_ON_CHILD;
    group.mark(fan.FAN_MARK_IGNORE_SURV, mask, stage.at('ign'));
    expect(stage.after(group, 'echo x >> ign/f')).toEqual([]);
    expect(stage.after(group, 'echo x >> ok/f')).toEqual(["MODIFY 'f' F"]);
  });
});
