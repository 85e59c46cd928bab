// The trees that scan.mjs measures on: the real /usr, and three that are made.
import { randomFillSync } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const KiB = 1024;
const GiB = 1024 ** 3;

/** `files` of `bytes` each, spread over `directories`; no two alike. */
export function makeTree(root, { files, bytes, directories }) {
  if (bytes > 64 * 1024 * KiB) return makeLarge(root, { files, bytes });
  const content = randomFillSync(Buffer.alloc(bytes));
  for (let directory = 0; directory < directories; directory += 1) {
    const dir = join(root, `d${String(directory).padStart(4, '0')}`);
    mkdirSync(dir, { recursive: true });
    const [from, to] = [directory, directory + 1].map((at) => Math.floor((at * files) / directories));
    for (let file = from; file < to; file += 1) {
      content.writeUInt32LE(file, 0);
      writeFileSync(join(dir, `f${file}`), content);
    }
  }
}

function makeLarge(root, { files, bytes }) {
  const piece = randomFillSync(Buffer.alloc(Math.min(bytes, 64 * 1024 * KiB)));
  mkdirSync(root, { recursive: true });
  for (let file = 0; file < files; file += 1) {
    const fd = openSync(join(root, `f${file}`), 'w');
    for (let at = 0; at < bytes; at += piece.length) {
      piece.writeUInt32LE(file, 0);
      piece.writeUInt32LE(at / piece.length, 4);
      writeSync(fd, piece, 0, Math.min(piece.length, bytes - at));
    }
    // Now, rather than while something is measured.
    fsyncSync(fd);
    closeSync(fd);
  }
}

/** What is where; `scale` makes the made ones smaller. */
export function caseList(scale) {
  const scaled = (count) => Math.max(1, Math.round(count * scale));
  const dirs = scaled(1000);
  return {
    usr: { title: 'the real /usr', root: '/usr' },
    small: { title: `${scaled(1e6)} files of 64 B`, tree: { files: scaled(1e6), bytes: 64, directories: dirs } },
    large: { title: `20 files of ${(scale).toFixed(scale < 1 ? 2 : 0)} GiB`, tree: { files: 20, bytes: scaled(GiB), directories: 1 } },
    medium: { title: `${scaled(1e5)} files of 10 KiB`, tree: { files: scaled(1e5), bytes: 10 * KiB, directories: dirs } },
    cold: { title: 'the real /usr, nothing of it in memory', root: '/usr', isCold: true },
  };
}

export function sizeOf(root) {
  const find = spawnSync('sh', ['-c', `find '${root}' -xdev -type f -printf '%s\\n' | awk '{ n += 1; s += $1 } END { print n, s }'`], { encoding: 'utf8' });
  const [files, bytes] = find.stdout.trim().split(' ').map(Number);
  return { files, bytes };
}
