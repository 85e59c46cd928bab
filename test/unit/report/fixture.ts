// One drift with everything in it, and what varies of it.
import type { DriftRecord } from '../../../src/domain/drift.ts';
import type { Entry } from '../../../src/domain/entry.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import type { CheckSummary } from '../../../src/report/report.ts';

export const BEFORE: Entry = {
  path: pathFromText('/etc/passwd'),
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 1234n,
  mtimeNs: 1_763_682_952_000_000_001n,
  ctimeNs: 1_763_682_952_000_000_002n,
  inode: 9_007_199_254_740_993n,
  nlink: 1,
  rdev: { major: 0, minor: 0 },
  target: undefined,
  digest: { algorithm: 'blake3', value: new Uint8Array(32).fill(0xab) },
  xattrs: [{ name: 'user.note', value: Buffer.from('old') }],
  flags: 0x30,
  incomplete: 0,
};

export const AFTER: Entry = {
  ...BEFORE,
  mode: 0o4600,
  sizeBytes: 1235n,
  mtimeNs: -1n,
  digest: { algorithm: 'sparse', value: new Uint8Array(32).fill(0xcd) },
  xattrs: [{ name: 'security.selinux', value: Buffer.from('x\0') }],
  flags: 0,
  incomplete: 13,
};

export const RECORD: DriftRecord = {
  id: '01JD0000000000000000000000',
  seq: 2,
  timeNs: 1_763_682_953_123_456_789n,
  kind: 'changed',
  path: BEFORE.path,
  rule: 'system',
  severity: 'critical',
  changed: ['mode', 'size', 'mtime', 'digest', 'xattrs', 'flags'],
  before: BEFORE,
  after: AFTER,
  from: undefined,
  entries: undefined,
  actors: [
    {
      source: 'exec',
      pid: 812,
      exe: '/usr/sbin/useradd',
      cmdline: ['useradd', 'eve'],
      uid: 0,
      loginUid: 1000,
      unit: 'ssh.service',
      ppids: [7, 1],
    },
  ],
  generation: 7,
};

/** One side only, as `added` has it. */
export const ADDED: DriftRecord = {
  ...RECORD,
  kind: 'added',
  changed: [],
  before: undefined,
  actors: [{ source: 'unknown' }],
};
export const REMOVED: DriftRecord = { ...RECORD, kind: 'removed', changed: [], after: undefined };
export const MOVED: DriftRecord = {
  ...RECORD,
  kind: 'moved',
  changed: [],
  from: pathFromText('/etc/old'),
  path: pathFromText('/etc/new'),
  before: { ...BEFORE, type: 'directory' },
  after: { ...BEFORE, type: 'directory' },
  entries: 12,
};

export const SUMMARY: CheckSummary = {
  startMs: 1_763_682_953_000,
  endMs: 1_763_682_953_800,
  entries: 12_345,
  bytes: 1_288_490_189,
  added: 1,
  removed: 1,
  changed: 1,
  moved: 1,
  incomplete: 1,
  exitCode: 15,
  generation: 7,
  quick: undefined,
  reportId: 'abc123',
  coverage: [{ mount: pathFromText('/'), mode: 'filesystem', sinceMs: 0, gaps: 0, reason: undefined }],
};

export const CLEAN: CheckSummary = {
  ...SUMMARY,
  added: 0,
  removed: 0,
  changed: 0,
  moved: 0,
  incomplete: 0,
  exitCode: 0,
  coverage: [],
};
