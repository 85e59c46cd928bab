// Files that are appended to without end: what is read of them, by counted bytes.
import { appendFileSync, closeSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openAppendedFiles } from '../../../src/disk/appended.ts';
import { openDigestEngine, openHasher } from '../../../src/disk/digest.ts';
import { readRecord } from '../../../src/domain/packed.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import { diskOver, ruleOver, scopeOf, temporaryDirectory } from './fixture.ts';

const MEBIBYTE = 1024 * 1024;
const hash = openHasher();
const bytesOf = (text: string, length: number): Buffer => Buffer.alloc(length, text);

test('each reading goes on where the last one ended, with the digest of the whole file', async () => {
  const dir = temporaryDirectory();
  const file = `${dir}/log`;
  let content = bytesOf('first ', 3 * MEBIBYTE);
  writeFileSync(file, content);
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 1 });
  const read = async (appended?: number) => {
    const page = await disk.read(pathFromText(dir), [pathFromText('log')], undefined, appended);
    const { digest } = readRecord(page.records, 0, pathFromText(dir));
    expect(Buffer.from(digest?.value ?? []).equals(hash(content))).toBe(true);
    return page.bytesRead;
  };
  const append = (text: string, length: number): void => {
    appendFileSync(file, bytesOf(text, length));
    content = Buffer.concat([content, bytesOf(text, length)]);
  };
  const whole = (): number => content.length;

  expect(await read(1)).toBe(whole());
  for (const length of [1, 4096, 700_000]) {
    append('more ', length);
    expect(await read(1)).toBe(length);
  }
  // Another token, none, the same size, and less of it: all is read.
  append('x', 10);
  expect(await read(2)).toBe(whole());
  append('y', 10);
  expect(await read()).toBeGreaterThanOrEqual(whole());
  expect(await read(2)).toBe(20 - 10);
  expect(await read(2)).toBe(whole());
  content = content.subarray(0, 2 * MEBIBYTE);
  truncateSync(file, content.length);
  expect(await read(2)).toBe(whole());
  // Another file under the name.
  rmSync(file);
  content = bytesOf('other ', 4 * MEBIBYTE);
  writeFileSync(file, content);
  expect(await read(2)).toBe(whole());
});

test('what was read before is not asked again, until the token changes', async () => {
  const dir = temporaryDirectory();
  const file = `${dir}/log`;
  writeFileSync(file, bytesOf('a', 2 * MEBIBYTE));
  const disk = diskOver(scopeOf(ruleOver([dir])), { jobs: 1 });
  const digestWith = async (appended: number): Promise<Buffer> => {
    const page = await disk.read(pathFromText(dir), [pathFromText('log')], undefined, appended);
    return Buffer.from(readRecord(page.records, 0, pathFromText(dir)).digest?.value ?? []);
  };
  await digestWith(1);
  const fd = openSync(file, 'r+');
  writeSync(fd, 'changed', 100);
  closeSync(fd);
  appendFileSync(file, 'b');
  const believed = Buffer.concat([bytesOf('a', 2 * MEBIBYTE), Buffer.from('b')]);
  expect(await digestWith(1)).toEqual(Buffer.from(hash(believed)));
  believed.write('changed', 100);
  expect(await digestWith(2)).toEqual(Buffer.from(hash(believed)));
});

test('only so many files are remembered; a reading that fails is forgotten', () => {
  const files = openAppendedFiles(openDigestEngine());
  const read = (name: string, size: number, give = size): number => {
    let asked = -1;
    files.digest(name, 1, size, (_offset, count, take) => {
      asked = count;
      take(Buffer.alloc(Math.min(count, Math.max(give, 0))));
      return give === size ? count : give;
    });
    return asked;
  };
  for (let index = 0; index < 40; index += 1) read(`file ${index}`, 100);
  expect([read('file 39', 101), read('file 0', 101)]).toEqual([1, 101]);
  expect(read('file 39', 200, -5)).toBe(99);
  expect(read('file 39', 200)).toBe(200);
  expect(read('file 39', 300, 7)).toBe(100);
  expect(read('file 39', 300)).toBe(300);
});
