// What a person reads: names and messages with every control character made visible, so that a hostile name cannot
// move the cursor, colour a line or reverse its order (CVE-2025-54389 was this, in AIDE).
import { type BytePath, isCleanUtf8, pathToText } from './path.ts';

// C0, DEL, C1, and the bidirectional controls and line separators of Unicode.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\\]/g;

/** Text for a terminal, a mail or a log line: `\n`, `\e`, `\u202e`; a backslash is doubled so that the form is unambiguous. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, escapeChar);
}

/** A path for a person: like `escapeText`; bytes that are not UTF-8 are shown as `\xff`. */
export function escapePath(path: BytePath): string {
  if (isCleanUtf8(path)) return escapeText(pathToText(path));
  return path.replace(/[^\x20-\x5b\x5d-\x7e]/g, (char) => (char === '\\' ? '\\\\' : hexByte(char)));
}

const SHORT: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x1b': '\\e',
  '\\': '\\\\',
};

function escapeChar(char: string): string {
  const short = SHORT[char];
  if (short !== undefined) return short;
  const code = char.charCodeAt(0);
  return code < 0x80 ? hexByte(char) : `\\u${code.toString(16).padStart(4, '0')}`;
}

function hexByte(char: string): string {
  return SHORT[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
