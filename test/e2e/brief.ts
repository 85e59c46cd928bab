// Records in a line each, for tests to compare.
import { pathFromLatin1 } from '../../src/domain/path.ts';
import type { Fields } from './daemon.ts';

/** One line for a record: what it says and of what, below `root`. */
export function brief(record: Fields, root: string): string {
  const name = (key: string): string => nameOf(record, key).replace(`${root}/`, '').replace(root, '.');
  if (record['type'] !== 'drift') return `${record['type']} ${name('path')}`;
  const from = record['from'] === undefined ? '' : ` from ${name('from')}`;
  const entries = record['entries'] === undefined ? '' : ` (${record['entries']})`;
  const changed = Array.isArray(record['changed']) ? record['changed'].join(' ') : '';
  return `${record['kind']} ${name('path')}${from}${entries}${changed === '' ? '' : `: ${changed}`}`;
}

export function briefs(records: readonly Fields[], root: string): string[] {
  return records.map((record) => brief(record, root)).sort();
}

/** A path of a record as bytes. */
function nameOf(record: Fields, key: string): string {
  const bytes = record[`${key}Bytes`];
  if (typeof bytes === 'string') return pathFromLatin1(Buffer.from(bytes, 'base64').toString('latin1'));
  return Buffer.from(String(record[key])).toString('latin1');
}
