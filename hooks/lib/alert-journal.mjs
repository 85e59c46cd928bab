// Writes drift records to the journal in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL); ../alert-journal says
// what it reads and how it ends.
import { sendNotification } from '../../dist/libc/notify.js';
import { describe, pathOf, readRecords } from './records.mjs';
import { EX_TEMPFAIL, fail, numberSetting, setting } from './settings.mjs';

/** Chosen once, for `journalctl MESSAGE_ID=`. */
const MESSAGE_IDS = {
  added: '4f1d5a0c2b774d3e9c6e0a8b51f0d101',
  removed: '4f1d5a0c2b774d3e9c6e0a8b51f0d102',
  changed: '4f1d5a0c2b774d3e9c6e0a8b51f0d103',
  moved: '4f1d5a0c2b774d3e9c6e0a8b51f0d104',
  resolved: '4f1d5a0c2b774d3e9c6e0a8b51f0d105',
};
const PRIORITIES = { critical: 2, normal: 4, info: 6 };

const socket = setting('SOCKET', '/run/systemd/journal/socket');
const limit = numberSetting('LIMIT', 10_000);
const records = readRecords();
for (const record of records.slice(0, limit)) write(fieldsOf(record));
if (records.length > limit) {
  write({ MESSAGE: `and ${records.length - limit} more drifts`, PRIORITY: 4, DRIFTLINE_KEY: setting('KEY') });
}

function fieldsOf(record) {
  const kind = record.type === 'resolved' ? 'resolved' : record.kind;
  const { actor = {}, changed } = record;
  return {
    MESSAGE: describe(record),
    MESSAGE_ID: Object.hasOwn(MESSAGE_IDS, kind) ? MESSAGE_IDS[kind] : undefined,
    PRIORITY: PRIORITIES[record.severity] ?? PRIORITIES.info,
    DRIFTLINE_KIND: kind,
    DRIFTLINE_PATH: bytesOf(pathOf(record)),
    DRIFTLINE_FROM: bytesOf(pathOf(record, 'from')),
    DRIFTLINE_SEVERITY: record.severity,
    DRIFTLINE_RULE: record.rule,
    DRIFTLINE_ID: record.id,
    DRIFTLINE_CHANGED: Array.isArray(changed) ? changed.join(' ') : undefined,
    DRIFTLINE_GENERATION: record.generation,
    DRIFTLINE_KEY: setting('KEY'),
    DRIFTLINE_EXE: actor.exe,
    DRIFTLINE_PID: actor.pid,
    DRIFTLINE_UID: actor.uid,
    DRIFTLINE_LOGIN_UID: actor.loginUid,
    DRIFTLINE_UNIT: actor.unit,
    DRIFTLINE_RECORD: JSON.stringify(record),
  };
}

function bytesOf(path) {
  return path === undefined ? undefined : Buffer.from(path, 'latin1');
}

function write(fields) {
  try {
    sendNotification(socket, entryOf(fields));
  } catch (error) {
    // Longer than a datagram may be: without the record it fits, for paths have an end.
    if (error.code === 'EMSGSIZE' && fields.DRIFTLINE_RECORD !== undefined) {
      write({ ...fields, DRIFTLINE_RECORD: undefined });
      return;
    }
    fail(`${socket}: ${error.code ?? error.message}`, EX_TEMPFAIL);
  }
}

function entryOf(fields) {
  const given = Object.entries({ SYSLOG_IDENTIFIER: 'driftline', ...fields }).filter(
    ([, value]) => value !== undefined,
  );
  return Buffer.concat(
    given.map(([name, value]) => fieldOf(name, Buffer.isBuffer(value) ? value : Buffer.from(String(value)))),
  );
}

/** `NAME=value`, or with the length (64 bits, little endian) before a value that has line ends. */
function fieldOf(name, value) {
  if (!value.includes(0x0a)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
}
