import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapePath, escapeText } from '../../../src/domain/escape.ts';
import { isCleanUtf8, pathFromBytes, pathFromText, pathToBytes, pathToText } from '../../../src/domain/path.ts';

test.each([
  ['plain', 'plain'],
  ['a\nb', 'a\\nb'],
  ['\x1b[31m', '\\e[31m'],
  ['\x07', '\\x07'],
  ['\x9b', '\\u009b'],
  ['a\u202eb', 'a\\u202eb'],
  ['back\\slash', 'back\\\\slash'],
  ['naïve', 'naïve'],
])('escapeText(%j) is %j', (text, expected) => {
  expect(escapeText(text)).toBe(expected);
});

test('escapePath shows bytes that are not UTF-8', () => {
  expect(escapePath(pathFromBytes(Buffer.from([0x2f, 0xff, 0x01, 0x5c])))).toBe('/\\xff\\x01\\\\');
});

test('no byte name gets a control character through, and bytes survive the round trip', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const name = pathFromBytes(bytes);
      expect(pathToBytes(name).equals(Buffer.from(bytes))).toBe(true);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
      expect(escapePath(name)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
      if (isCleanUtf8(name)) expect(pathFromText(pathToText(name))).toBe(name);
    }),
  );
});
