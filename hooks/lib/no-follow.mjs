// Opens files without following a link in any part of their paths. Node has no openat(2); below /proc/self/fd the kernel
// goes to the open directory itself, whatever has become of its name (proc(5)).
import { closeSync, constants, lstatSync, openSync, readlinkSync } from 'node:fs';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY } = constants;
const O_PATH = 0o10000000;

/**
 * Gives `use` the directory of an absolute path (bytes) as a path below /proc/self/fd, and the last name as bytes.
 * @throws ENOTDIR or ELOOP where a link or a file stands in place of a directory, ENOENT where nothing does
 */
export function inDirectoryOf(path, use) {
  const names = path
    .toString('latin1')
    .split('/')
    .filter((name) => name !== '');
  const last = names.pop() ?? '.';
  let directory = openSync('/', O_PATH | O_DIRECTORY);
  try {
    for (const name of names) {
      const next = openSync(below(directory, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
      closeSync(directory);
      directory = next;
    }
    return use(below(directory, last));
  } finally {
    closeSync(directory);
  }
}

function below(directory, name) {
  return Buffer.from(`/proc/self/fd/${directory}/${name}`, 'latin1');
}

/** What is there: its lstat(2) and, of a regular file, a descriptor to read; the caller closes it. */
export function openForReading(place) {
  const seen = lstatSync(place, { bigint: true });
  if (seen.isSymbolicLink()) return { stat: seen, target: readlinkSync(place, 'buffer') };
  if (!seen.isFile()) return { stat: seen };
  // O_NONBLOCK: should it have become a pipe meanwhile, open(2) must not wait.
  return { stat: seen, descriptor: openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) };
}
