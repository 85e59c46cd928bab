// Whether a rule path is there, and why not.
import { lstatSync } from 'node:fs';
import type { Coverage } from '../domain/coverage.ts';
import { errorCode, errorMessage } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, lineage, pathToBytes } from '../domain/path.ts';

/**
 * Why nothing is at a rule path, undefined when something is. What can be reached only through a link counts as missing:
 * walks never follow one. Others own directories above rule paths, so every errno is an answer here.
 */
export function absenceOf(path: BytePath): string | undefined {
  for (const at of lineage(path)) {
    try {
      const stats = lstatSync(pathToBytes(at));
      if (at !== path && stats.isSymbolicLink()) return `${escapePath(at)} is a symbolic link`;
    } catch (error) {
      const code = errorCode(error);
      return code === 'ENOENT' ? 'does not exist' : `cannot be reached: ${code ?? errorMessage(error)}`;
    }
  }
  return undefined;
}

/** Something is there, and the watch hears nothing of it: not a rule path that does not exist. */
export function isLostCoverage({ mount, mode }: Coverage): boolean {
  return mode === 'none' && absenceOf(mount) === undefined;
}
