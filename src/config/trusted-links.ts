// Symbolic links above a path, followed only where nobody else can bend them.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { type BytePath, dirOf, joinPath, pathFromBytes, pathToBytes, ROOT } from '../domain/path.ts';
import { componentsOf, isSafeDirectory, isSafeOwner, LINKS_MAX, type Trust } from './trusted-path.ts';

export interface Resolution {
  /** Trusted links resolved; from the first other one, or from what cannot be looked at, on as it is named. */
  readonly path: BytePath;
  /** The link that is not followed: its owner, or whoever can write to a directory above it, could point it anywhere. */
  readonly refused: BytePath | undefined;
}

/** Never throws: whatever stands in the way (ENOENT, ELOOP, ENAMETOOLONG, EACCES ...) ends the resolution. */
export function resolveTrustedLinks(path: BytePath, trust: Trust = {}): Resolution {
  const euid = trust.euid ?? process.geteuid?.() ?? 0;
  const pending = componentsOf(path).reverse();
  let at = ROOT;
  let links = 0;
  let isTrusted = isSafe(readStats(at), euid);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') {
      at = at === ROOT ? ROOT : dirOf(at);
      continue;
    }
    const next = joinPath(at, name as BytePath);
    const stats = readStats(next);
    if (stats?.isSymbolicLink() === true) {
      const target = isTrusted && isSafeOwner(stats, euid) ? readTarget(next) : undefined;
      if (target === undefined || ++links > LINKS_MAX) return { path: asNamed(path, next, pending), refused: next };
      if (target.startsWith('/')) at = ROOT;
      pending.push(...componentsOf(target).reverse());
    } else if (stats === undefined) {
      return { path: asNamed(path, next, pending), refused: undefined };
    } else {
      isTrusted &&= isSafe(stats, euid);
      at = next;
    }
  }
  return { path: at, refused: undefined };
}

/** The rest cannot be resolved; `..` in it would not mean what it says. */
function asNamed(path: BytePath, at: BytePath, pending: readonly string[]): BytePath {
  return pending.includes('..') ? path : ([at, ...pending.toReversed()].join('/') as BytePath);
}

function isSafe(stats: Stats | undefined, euid: number): boolean {
  return stats !== undefined && isSafeOwner(stats, euid) && isSafeDirectory(stats);
}

function readStats(path: BytePath): Stats | undefined {
  try {
    return lstatSync(pathToBytes(path));
  } catch {
    // Which errno does not matter: from here on the path stays as it is named.
    return undefined;
  }
}

function readTarget(path: BytePath): BytePath | undefined {
  try {
    return pathFromBytes(readlinkSync(pathToBytes(path), 'buffer'));
  } catch {
    // Replaced since it was looked at, by somebody who can: not followed.
    return undefined;
  }
}
