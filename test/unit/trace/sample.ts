// Records for tests.
import { type BytePath, pathFromText } from '../../../src/domain/path.ts';
import { FAN_OPEN } from '../../../src/fanotify/abi.ts';
import type { EventRecord, OverflowRecord, ProcessInfo } from '../../../src/trace/record.ts';

export const TOUCH: ProcessInfo = {
  pid: 812,
  comm: 'touch',
  actor: { source: 'exec', pid: 812, exe: '/usr/bin/touch', uid: 1000, ppids: [700, 1] },
};

export const GONE: ProcessInfo = { pid: 9, comm: undefined, actor: { source: 'unknown' } };

export const OVERFLOW: OverflowRecord = { kind: 'overflow', timeNs: 1_700_000_000_123_456_789n };

export function event(fields: Partial<EventRecord> & { readonly name?: string } = {}): EventRecord {
  const { name = '/srv/a', ...rest } = fields;
  return {
    kind: 'event',
    timeNs: 1_700_000_000_123_456_789n,
    mask: FAN_OPEN,
    path: pathFromText(name),
    from: undefined,
    process: TOUCH,
    parents: undefined,
    ...rest,
  };
}

export const bytes = (latin1: string): BytePath => latin1 as BytePath;

/** C0 and DEL: what ends a line, or moves a cursor. */
export function hasControls(text: string): boolean {
  return [...text].some((char) => char < ' ' || char === '\x7f');
}
