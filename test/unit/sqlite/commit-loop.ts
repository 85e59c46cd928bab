// Commits for ever to the baseline argv[2]: two entries with the same growing size; prints each size when its commit returned.
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { pathFromText } from '../../../src/domain/path.ts';
import { openStore } from '../../../src/sqlite/store.ts';

const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const store = openStore({ path: pathFromText(process.argv[2] ?? ''), mode: 'write', hash });
for (;;) {
  const put = [pathFromText('/pair/a'), pathFromText('/pair/b')].flatMap((at) => {
    const found = store.baseline.find(at);
    return found === undefined ? [] : [{ ...found, sizeBytes: found.sizeBytes + 1n }];
  });
  store.commit({ accept: { put, drop: [] }, journal: ['{}'] });
  writeSync(1, `${put[0]?.sizeBytes}\n`);
}
