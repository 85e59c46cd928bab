// Where dpkg(1) puts a file of a package, and as whose; names are latin1 text.
import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path/posix';

const ADMIN = '/var/lib/dpkg';
const realDirectories = new Map();

/** With links in its directories followed: what a package has in /bin is in /usr/bin. */
export function canonicalPath(path) {
  const dir = dirname(path);
  if (dir === '/') return path;
  return `${realDirectory(dir)}/${path.slice(dir.length + 1)}`.replace(/^\/\//, '/');
}

function realDirectory(dir) {
  const known = realDirectories.get(dir);
  if (known !== undefined) return known;
  let real;
  try {
    real = realpathSync(Buffer.from(dir, 'latin1'), 'buffer').toString('latin1');
  } catch {
    // Not there yet.
    real = canonicalPath(dir);
  }
  realDirectories.set(dir, real);
  return real;
}

/** A function of path and package: dpkg-divert(1). */
export function diversions() {
  const lines = linesOf(`${ADMIN}/diversions`);
  const found = new Map();
  for (let at = 0; at + 2 < lines.length; at += 3) found.set(lines[at], { to: lines[at + 1], by: lines[at + 2] });
  return (path, name) => {
    const diversion = found.get(path);
    return diversion === undefined || diversion.by === name ? path : diversion.to;
  };
}

/** A function of a path: dpkg-statoverride(1). */
export function statOverrides() {
  const found = new Map();
  for (const line of linesOf(`${ADMIN}/statoverride`)) {
    const [, user, group, mode, path] = /^(\S+) (\S+) (\S+) (.*)$/.exec(line) ?? [];
    if (path !== undefined) {
      found.set(path, { uid: userId(user, 0), gid: groupId(group, 0), mode: Number.parseInt(mode, 8) });
    }
  }
  return (path) => found.get(path) ?? {};
}

/** `#12` is a number, as in statoverride. */
export function userId(name, otherwise) {
  return idOf('/etc/passwd', name, otherwise);
}

export function groupId(name, otherwise) {
  return idOf('/etc/group', name, otherwise);
}

function idOf(file, name, otherwise) {
  if (name === 'root') return 0;
  if (name.startsWith('#')) return Number(name.slice(1));
  const line = linesOf(file).find((one) => one.startsWith(`${name}:`));
  return line === undefined ? otherwise : Number(line.split(':')[2]);
}

function linesOf(file) {
  try {
    return readFileSync(file, 'latin1')
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
