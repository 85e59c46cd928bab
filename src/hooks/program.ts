// Where a hook's program is. The same answer serves `config check`, the start of `watch` and each run.
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorCode } from '../domain/errors.ts';

/** The PATH of every hook; nothing of driftline's own environment is inherited. */
export const HOOK_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type FoundProgram = { readonly path: string } | { readonly problem: string; readonly isMissing: boolean };

export interface ProgramPlaces {
  /** Directories separated by colons, as in the variable. */
  readonly path: string;
  readonly cwd: string;
}

const HOOK_PLACES: ProgramPlaces = { path: HOOK_PATH, cwd: '/' };

/** A bare name is looked up in the PATH, a name with a slash is taken relative to the directory: `/` is where hooks run. */
export function findProgram(name: string, { path, cwd } = HOOK_PLACES): FoundProgram {
  if (name.includes('/')) return inspect(resolve(cwd, name));
  // An empty word of PATH is the current directory (execvp(3)).
  const found = path.split(':').map((dir) => inspect(resolve(cwd, dir, name)));
  const usable = found.find((candidate) => 'path' in candidate);
  const unusable = found.find((candidate) => 'problem' in candidate && !candidate.isMissing);
  return usable ?? unusable ?? { problem: `${name}: not found in ${path}`, isMissing: true };
}

function inspect(path: string): FoundProgram {
  try {
    if (!statSync(path).isFile()) return refused(path, 'not a regular file');
    accessSync(path, constants.X_OK);
    return { path };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: `${path}: not found`, isMissing: true };
    if (code === 'EACCES') return refused(path, 'not executable');
    // ELOOP, ENAMETOOLONG, a NUL in the name ...: as unusable as a missing file, and the hook's problem, not ours.
    return refused(path, code ?? 'cannot be used');
  }
}

function refused(path: string, why: string): FoundProgram {
  return { problem: `${path}: ${why}`, isMissing: false };
}
