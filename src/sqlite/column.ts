// Columns of a row, decoded: rows come from a file that may be damaged, so their types are not believed.
import { type BytePath, pathFromBytes } from '../domain/path.ts';
import type { Row } from './driver.ts';
import { untrusted } from './failure.ts';

/** A blob, without copying. */
export function bytesColumn(row: Row, name: string): Buffer {
  const value = row[name];
  if (!(value instanceof Uint8Array)) throw untrusted(`column ${name} is not a blob`);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

export function pathColumn(row: Row, name: string): BytePath {
  return pathFromBytes(bytesColumn(row, name));
}

export function integerColumn(row: Row, name: string): number {
  const value = row[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw untrusted(`column ${name} is not an integer`);
  return value;
}

export function optionalIntegerColumn(row: Row, name: string): number | undefined {
  return row[name] === null ? undefined : integerColumn(row, name);
}

export function textColumn(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== 'string') throw untrusted(`column ${name} is not text`);
  return value;
}
