// Names in the order of their bytes. Of names that begin alike, as those of a large directory often do, `sort` compares the same
// characters again and again, in a call each time: here the six that follow what all have in common are a number.

/** Below this it gains nothing. */
const KEYED_MIN = 64;
/** Each key holds the index of its name, in 16 bits. */
const KEYED_MAX = 1 << 16;

/** Two words a key, the lower one first, as the processors that driftline runs on have them. */
let words = new Uint32Array(0);
let keys = new BigUint64Array(0);

/** Sorts names of one character per byte, none of them 0. Returns the array that it was given, or another one. */
export function sortNames(names: string[]): string[] {
  if (names.length < KEYED_MIN || names.length > KEYED_MAX) return names.sort();
  writeKeys(names, sharedLength(names));
  keys.subarray(0, names.length).sort();
  return byKeys(names);
}

/** How many characters at their beginning all have in common. */
function sharedLength(names: readonly string[]): number {
  const first = names[0] ?? '';
  let shared = first.length;
  for (const name of names) {
    let at = 0;
    while (at < shared && name.charCodeAt(at) === first.charCodeAt(at)) at += 1;
    shared = at;
  }
  return shared;
}

function writeKeys(names: readonly string[], from: number): void {
  if (keys.length < names.length) {
    keys = new BigUint64Array(2 ** Math.ceil(Math.log2(names.length)));
    words = new Uint32Array(keys.buffer);
  }
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    words[index * 2 + 1] = fourBytes(name, from);
    words[index * 2] = (byteAt(name, from + 4) << 24) | (byteAt(name, from + 5) << 16) | index;
  }
}

function fourBytes(name: string, at: number): number {
  return (byteAt(name, at) << 24) | (byteAt(name, at + 1) << 16) | (byteAt(name, at + 2) << 8) | byteAt(name, at + 3);
}

/** Where a name has ended: less than any byte of a name. */
function byteAt(name: string, at: number): number {
  return at < name.length ? name.charCodeAt(at) : 0;
}

function byKeys(names: readonly string[]): string[] {
  const sorted: string[] = [];
  for (let at = 0; at < names.length; ) {
    const end = endOfKey(at, names.length);
    if (end === at + 1) sorted.push(nameOf(names, at));
    else pushSorted(sorted, names, at, end);
    at = end;
  }
  return sorted;
}

function pushSorted(sorted: string[], names: readonly string[], start: number, end: number): void {
  const alike: string[] = [];
  for (let at = start; at < end; at += 1) alike.push(nameOf(names, at));
  for (const name of alike.sort()) sorted.push(name);
}

/** Behind the keys that are equal to the one at `at`. */
function endOfKey(at: number, length: number): number {
  const upper = words[at * 2 + 1];
  const lower = (words[at * 2] ?? 0) >>> 16;
  let end = at + 1;
  while (end < length && words[end * 2 + 1] === upper && (words[end * 2] ?? 0) >>> 16 === lower) end += 1;
  return end;
}

function nameOf(names: readonly string[], at: number): string {
  return names[(words[at * 2] ?? 0) & 0xffff] ?? '';
}
