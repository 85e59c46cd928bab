// The quick walk over the bytes finds what the decoder finds.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEvents, type FileId, measureEvents } from '../../../src/fanotify/decode.ts';
import { fileIdsIn } from '../../../src/fanotify/file-ids.ts';
import { event, fid, record } from './event-bytes.ts';

const NAME = Buffer.from('name\0');

function byDecoding(buffer: Buffer): FileId[] {
  const ids = new Map<string, FileId>();
  for (const { records } of decodeEvents(buffer)) {
    const known = records.filter((one) => 'handle' in one);
    const dirs = known.filter(({ kind }) => kind !== 'fid');
    const used = dirs.length > 0 ? dirs : known.filter(({ kind }) => kind === 'fid').slice(-1);
    for (const { fsid, handle } of used) ids.set(fsid + handle, { fsid, handle });
  }
  return [...ids.values()];
}

const handle = fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes));
const anyRecord = fc.oneof(
  fc.tuple(fc.constantFrom(2, 10, 12), handle).map(([type, bytes]) => fid(type, bytes, NAME)),
  fc.tuple(fc.constantFrom(1, 3), handle).map(([type, bytes]) => fid(type, bytes)),
  fc.tuple(fc.constantFrom(4, 5, 6, 7, 99), handle).map(([type, bytes]) => record(type, bytes)),
);
const anyEvents = fc
  .array(fc.array(anyRecord, { maxLength: 5 }), { maxLength: 6 })
  .map((all) => Buffer.concat(all.map((records) => event(8n, 1, records))));

test('the same ids, each once', () => {
  fc.assert(
    fc.property(anyEvents, (buffer) => {
      expect(fileIdsIn(buffer, buffer.length)).toEqual(byDecoding(buffer));
    }),
  );
});

test('whatever is in the records, it ends and reads nothing beyond them', () => {
  const damaged = fc.tuple(anyEvents, fc.nat(), fc.nat(255)).map(([buffer, at, byte]) => {
    // Not in the metadata: those lengths are checked before.
    if (buffer.length > 28) buffer[24 + (at % (buffer.readUInt32LE(0) - 23))] = byte;
    return buffer;
  });
  fc.assert(
    fc.property(damaged, (buffer) => {
      try {
        measureEvents(buffer);
      } catch {
        return;
      }
      for (const { handle: bytes } of fileIdsIn(buffer, buffer.length))
        expect(bytes.length).toBe(8 + Buffer.from(bytes, 'latin1').readUInt32LE(0));
    }),
  );
});
