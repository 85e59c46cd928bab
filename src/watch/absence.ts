// Whether a rule path is there, and why not.
import { lstatSync } from 'node:fs';
import type { Coverage } from '../domain/coverage.ts';
import { errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, lineage, pathToBytes } from '../domain/path.ts';

/** `missing`: surely nothing is there. `unknown`: the filesystem does not tell (EIO, ESTALE ...). */
interface Absence {
  readonly kind: 'missing' | 'unknown';
  readonly reason: string;
}

/** What path_resolution(7) says of a name that cannot be there. */
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/**
 * Why nothing is at a rule path, undefined when something is. What can be reached only through a link counts as missing:
 * walks never follow one. Others own directories above rule paths, so every errno is an answer here.
 */
export function absenceOf(path: BytePath): string | undefined {
  return lookFor(path)?.reason;
}

export function isMissing(path: BytePath): boolean {
  return lookFor(path)?.kind === 'missing';
}

/** Something is there, for all that is known, and the watch hears nothing of it: not a rule path that does not exist. */
export function isLostCoverage({ mount, mode }: Coverage): boolean {
  return mode === 'none' && !isMissing(mount);
}

function lookFor(path: BytePath): Absence | undefined {
  for (const at of lineage(path)) {
    try {
      const stats = lstatSync(pathToBytes(at));
      if (at !== path && stats.isSymbolicLink())
        return { kind: 'missing', reason: `${escapePath(at)} is a symbolic link` };
    } catch (error) {
      const code = errorCode(error) ?? errorMessage(error);
      if (code === 'ENOENT') return { kind: 'missing', reason: 'does not exist' };
      return { kind: MISSING.has(code) ? 'missing' : 'unknown', reason: `cannot be reached: ${code}` };
    }
  }
  return undefined;
}
