// File names are bytes. A BytePath is a JavaScript string with one character (U+0000..U+00FF) per byte: it is as compact
// as a Buffer, compares bytewise with `<`, and can be a Map key. It becomes text only where something is shown.

declare const bytes: unique symbol;

/** An absolute path or a single name, one character per byte (latin1). */
export type BytePath = string & { readonly [bytes]: true };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Takes a latin1 string as it comes from a decoder of directory entries or events. */
export function pathFromLatin1(latin1: string): BytePath {
  return latin1 as BytePath;
}

export function pathFromBytes(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as BytePath;
}

/** Text (UTF-8 when written to disk) to bytes: what a configuration or an argument names. */
export function pathFromText(text: string): BytePath {
  return Buffer.from(text, 'utf8').toString('latin1') as BytePath;
}

export function pathToBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** The path as text; bytes that are not UTF-8 become U+FFFD (see `pathBytes` in records for the lossless form). */
export function pathToText(path: BytePath): string {
  return isAscii(path) ? path : pathToBytes(path).toString('utf8');
}

export function isCleanUtf8(path: BytePath): boolean {
  if (isAscii(path)) return true;
  try {
    utf8.decode(pathToBytes(path));
    return true;
  } catch {
    // TextDecoder's only failure here is malformed UTF-8, which is the answer.
    return false;
  }
}

function isAscii(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant, controls included
  return /^[\x00-\x7f]*$/.test(path);
}

/** The directory of `/` itself is the empty path, so that every path has one (dir, name) pair. */
export const ROOT_DIR = '' as BytePath;
export const ROOT = '/' as BytePath;

export function joinPath(dir: BytePath, name: BytePath): BytePath {
  if (dir === ROOT_DIR) return name;
  return (dir === ROOT ? `/${name}` : `${dir}/${name}`) as BytePath;
}

export function dirOf(path: BytePath): BytePath {
  if (path === ROOT) return ROOT_DIR;
  const slash = path.lastIndexOf('/');
  return (slash <= 0 ? '/' : path.slice(0, slash)) as BytePath;
}

export function nameOf(path: BytePath): BytePath {
  return path === ROOT ? path : (path.slice(path.lastIndexOf('/') + 1) as BytePath);
}

/** True for `ancestor` itself and for everything below it. */
export function isWithin(path: BytePath, ancestor: BytePath): boolean {
  if (ancestor === ROOT) return path.startsWith('/');
  return path.startsWith(ancestor) && (path.length === ancestor.length || path[ancestor.length] === '/');
}

/** The path and its ancestors, outermost first. */
export function lineage(path: BytePath): BytePath[] {
  const line: BytePath[] = [];
  for (let at = path; at !== ROOT_DIR; at = dirOf(at)) line.push(at);
  return line.reverse();
}

/** Bytewise order, as sort(1) in the C locale. */
export function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Rebases `path` (at or below `from`) to the same place below `to`. */
export function rebasePath(path: BytePath, from: BytePath, to: BytePath): BytePath {
  return (to + path.slice(from.length)) as BytePath;
}

/** Keeps only the paths that are not below another one of the list; sorted. */
export function outermostPaths(paths: Iterable<BytePath>): BytePath[] {
  const kept: BytePath[] = [];
  const seen = new Set<string>(paths);
  for (const path of [...seen].sort(comparePaths) as BytePath[]) {
    if (!hasAncestorIn(path, seen)) kept.push(path);
  }
  return kept;
}

/** True when a proper ancestor of `path` is in the set. */
export function hasAncestorIn(path: BytePath, paths: ReadonlySet<string>): boolean {
  for (let dir = dirOf(path); dir !== ROOT_DIR; dir = dirOf(dir)) if (paths.has(dir)) return true;
  return false;
}
