// The baseline's records beside the names of a directory: both are sorted, so one pass finds them all.
import { recordLength, recordName } from '../domain/packed.ts';
import type { KnownRecord } from './entry-reader.ts';

/** Answers names in ascending order with their record, if the run has one. */
export function knownRecords(packed: Uint8Array | undefined): (name: string) => KnownRecord | undefined {
  if (packed === undefined || packed.byteLength === 0) return () => undefined;
  const run = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 0;
  return (name) => {
    for (; at < run.length; at += recordLength(run, at)) {
      const candidate = recordName(run, at);
      if (candidate >= name) return candidate === name ? { run, at } : undefined;
    }
    return undefined;
  };
}
