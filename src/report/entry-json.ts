// An entry as it stands in records.
import { digestText, type Entry, incompleteText, type Xattr } from '../domain/entry.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, isCleanUtf8, pathFromLatin1, pathToBytes, pathToText } from '../domain/path.ts';
import { flagLetters } from './flag-letters.ts';
import { integerJson, type JsonObject } from './json-text.ts';
import { timeText } from './time-text.ts';

/** What every type has, and of the rest what the type has: `target`, `rdev`, `digest`; `incomplete` when it is. */
export function entryJson(entry: Entry): JsonObject {
  const isDevice = entry.type === 'char' || entry.type === 'block';
  return {
    type: entry.type,
    mode: modeText(entry.mode),
    uid: entry.uid,
    gid: entry.gid,
    size: integerJson(entry.sizeBytes),
    mtime: timeText(entry.mtimeNs),
    ctime: timeText(entry.ctimeNs),
    inode: integerJson(entry.inode),
    nlink: entry.nlink,
    rdev: isDevice ? `${entry.rdev.major}:${entry.rdev.minor}` : undefined,
    ...(entry.target === undefined ? {} : pathJson('target', entry.target)),
    digest: entry.digest === undefined ? undefined : digestText(entry.digest),
    xattrs: xattrsJson(entry.xattrs),
    flags: flagLetters(entry.flags),
    incomplete: entry.incomplete === 0 ? undefined : incompleteText(entry.incomplete),
  };
}

/** `path` as text, and `pathBytes` (base64) when the text is not all of it. */
export function pathJson(key: string, path: BytePath): JsonObject {
  const text = { [key]: pathToText(path) };
  return isCleanUtf8(path) ? text : { ...text, [`${key}Bytes`]: pathToBytes(path).toString('base64') };
}

/** Four octal digits, e.g. `0644`. */
export function modeText(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Names are bytes, too: one that is not UTF-8 is escaped, so that two of them never become the same key. */
function xattrsJson(xattrs: readonly Xattr[]): JsonObject {
  const fields = xattrs.map(({ name, value }): [string, string] => {
    const bytes = pathFromLatin1(name);
    return [isCleanUtf8(bytes) ? pathToText(bytes) : escapePath(bytes), Buffer.from(value).toString('base64')];
  });
  return Object.fromEntries(fields);
}
