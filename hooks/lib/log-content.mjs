// What a log holds, compressed or not, in one pass.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** First bytes, and the program that undoes the compression of which they are the sign. */
const PROGRAMS = [
  ['fd377a585a00', 'xz'],
  ['425a68', 'bzip2'],
  ['28b52ffd', 'zstd'],
];

/**
 * Of a regular file (path as latin1 text), uncompressed: its length, SHA-256 of all of it, and of its first n bytes for
 * each n of `sizes` that is not longer. Undefined when there is none, or when it cannot be read.
 */
export async function readLog(path, sizes = []) {
  let descriptor;
  try {
    descriptor = openSync(Buffer.from(path, 'latin1'), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return undefined;
    const { mode, uid, gid, mtimeMs } = stat;
    return { mode: mode & 0o7777, uid, gid, mtimeMs, ...(await digest(uncompressed(descriptor), sizes)) };
  } catch (error) {
    if (error.code === undefined) throw error;
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

async function digest(stream, sizes) {
  const [hash, prefixes] = [createHash('sha256'), new Map()];
  const stops = [...new Set(sizes)].sort((one, other) => one - other);
  let bytes = 0;
  for await (const chunk of stream) {
    let rest = chunk;
    while (stops.length > 0 && stops[0] <= bytes + rest.length) {
      const size = stops.shift();
      hash.update(rest.subarray(0, size - bytes));
      rest = rest.subarray(size - bytes);
      bytes = size;
      prefixes.set(size, hash.copy().digest('hex'));
    }
    hash.update(rest);
    bytes += rest.length;
  }
  return { bytes, digest: hash.digest('hex'), prefixes };
}

function uncompressed(descriptor) {
  const head = Buffer.alloc(6);
  const sign = head.toString('hex', 0, readSync(descriptor, head, 0, 6, 0));
  const stream = createReadStream('', { fd: descriptor, autoClose: false, start: 0, highWaterMark: 1 << 20 });
  // A log that is cut off in the middle ends with an error: the consumer sees it.
  if (sign.startsWith('1f8b')) return pipeline(stream, createGunzip(), () => undefined);
  const program = PROGRAMS.find(([magic]) => sign.startsWith(magic))?.[1];
  if (program === undefined) return stream;
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'] });
  pipeline(stream, child.stdin, () => undefined);
  child.on('error', (error) => child.stdout.destroy(error));
  return child.stdout;
}
