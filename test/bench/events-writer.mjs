// events-writer.c for machines without a compiler; slower.
import { closeSync, openSync, writeSync } from 'node:fs';

const [stamps, directory, first, count, interval, start] = process.argv.slice(2).map((word, at) => (at < 2 ? word : Number(word)));
const now = () => Number(process.hrtime.bigint());
const noted = new Float64Array(count);
const cell = new Int32Array(new SharedArrayBuffer(4));

for (let index = 0; index < count; index += 1) {
  const waitMs = (start + index * interval - now()) / 1e6;
  if (waitMs > 0) Atomics.wait(cell, 0, 0, waitMs);
  const fd = openSync(`${directory}/f${first + index}`, 'r+');
  noted[index] = now();
  closeSync(fd);
}
const fd = openSync(stamps, 'r+');
writeSync(fd, new Uint8Array(noted.buffer), 0, noted.byteLength, first * 8);
closeSync(fd);
