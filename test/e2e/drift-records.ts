// Records as a watch gives them to hooks, with hostile names.
import { HOSTILE } from './shipped.ts';

export type DriftRecord = Readonly<Record<string, unknown>>;

let serial = 0;

/** `path` is latin1 text of its bytes. */
export function driftRecord(path: string, more: DriftRecord = {}): DriftRecord {
  serial += 1;
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString('utf8');
  return {
    v: 1,
    type: 'drift',
    time: '2026-11-21T08:00:00.000000001Z',
    id: `01J${String(serial).padStart(10, '0')}`,
    seq: 1,
    kind: 'changed',
    path: text,
    ...(Buffer.from(text).equals(bytes) ? {} : { pathBytes: bytes.toString('base64') }),
    rule: 'system',
    severity: 'critical',
    changed: ['digest', 'size'],
    actor: { pid: 812, exe: '/usr/bin/vi', uid: 0, loginUid: 1000, source: 'exec' },
    generation: 7,
    ...more,
  };
}

export function hostileRecords(dir: string): DriftRecord[] {
  return HOSTILE.map((name) => driftRecord(`${dir}/${name}`));
}

/** Standard input for hooks with `driftline-stdin: ndjson`, as latin1 text. */
export function ndjson(records: readonly DriftRecord[]): string {
  return Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join('')).toString('latin1');
}
