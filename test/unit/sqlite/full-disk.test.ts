// A full disk: the commit fails with IO, what was committed stays, and commits work again when there is room.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { contentOf, rebuildWith } from '../../contract/store.ts';
import { entry } from '../../fakes/entry.ts';
import { openAt, temporaryDirectory } from './fixture.ts';

describe.skipIf(process.getuid?.() !== 0)('a full filesystem (needs root: mounts a tmpfs)', () => {
  test('keeps the last committed generation', () => {
    const dir = smallFilesystem();
    const store = openAt(`${dir}/b.db`, 'create');
    rebuildWith(store, [entry('/a')]);
    const record = JSON.stringify({ text: 'x'.repeat(100_000) });
    const full = expect.objectContaining({ code: 'IO', hint: expect.stringContaining('free some space') });
    let generation = 1;
    expect(() => {
      for (; generation < 100; ) {
        store.commit({ accept: { put: [entry(`/f${generation}`)], drop: [] }, journal: [record] });
        generation += 1;
      }
    }).toThrow(full);
    expect(generation).toBeGreaterThan(5);
    expect(store.baseline.info()).toMatchObject({ generation, entries: generation });
    store.close();
    const again = openAt(`${dir}/b.db`, 'write');
    expect(contentOf(again).size).toBe(generation);
    expect(again.journal.firstBroken()).toBeUndefined();
    again.close();
  });

  test('fails a rebuild, which leaves the old generation, and works again with room', () => {
    const dir = smallFilesystem();
    const store = openAt(`${dir}/b.db`, 'create');
    rebuildWith(store, [entry('/a')]);
    const many = Array.from({ length: 40_000 }, (_, n) => entry(`/d/${String(n).padStart(6, '0')}`));
    expect(() => rebuildWith(store, many)).toThrow(expect.objectContaining({ code: 'IO' }));
    store.close();
    const again = openAt(`${dir}/b.db`, 'write');
    expect([...contentOf(again).keys()]).toEqual(['/a']);
    writeFileSync(`${dir}/filler`, Buffer.alloc(1_000_000));
    rmSync(`${dir}/filler`);
    expect(rebuildWith(again, [entry('/b')])).toBe(2);
    again.close();
  });
});

function smallFilesystem(): string {
  const dir = temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir]);
  // Lazy: a closed connection keeps its files until its statements are garbage.
  onTestFinished(() => void execFileSync('umount', ['-l', dir]));
  return dir;
}
