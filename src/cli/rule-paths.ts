// Rule paths as the kernel names them: events and walks never go through a symbolic link above a path.
import { lstatSync, realpathSync } from 'node:fs';
import { errorCode } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, dirOf, joinPath, nameOf, pathFromBytes, pathToBytes, ROOT } from '../domain/path.ts';
import type { Settings } from '../domain/settings.ts';

/** The path with all links above it resolved, its last name as it is; what does not exist stays as it is named. */
export function canonicalPath(path: BytePath): BytePath {
  if (path === ROOT) return path;
  const dir = dirOf(path);
  try {
    return joinPath(pathFromBytes(realpathSync.native(pathToBytes(dir), { encoding: 'buffer' })), nameOf(path));
  } catch (error) {
    if (!UNREACHABLE.has(errorCode(error) ?? '')) throw error;
    return joinPath(canonicalPath(dir), nameOf(path));
  }
}

/** ENAMETOOLONG: realpath(3) ends at PATH_MAX; whoever has such paths names them without links. */
const UNREACHABLE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG']);

export function canonicalSettings<T extends Settings>(settings: T): T {
  return { ...settings, rules: settings.rules.map((rule) => ({ ...rule, paths: rule.paths.map(canonicalPath) })) };
}

/** What somebody who wrote these rules may not expect, a line each. `settings` as they were written. */
export function rulePathWarnings(settings: Settings): string[] {
  return settings.rules.flatMap(({ name, paths }) =>
    paths.flatMap((path) => {
      const problem = rulePathProblem(path);
      return problem === undefined ? [] : [`rule ${name}: ${escapePath(path)} ${problem}`];
    }),
  );
}

function rulePathProblem(path: BytePath): string | undefined {
  const canonical = canonicalPath(path);
  if (canonical !== path) return `is reached through a symbolic link: it is ${escapePath(canonical)}`;
  try {
    if (!lstatSync(pathToBytes(path)).isSymbolicLink()) return undefined;
    return 'is a symbolic link: the rule covers the link, not what it points to';
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'does not exist: it is covered as soon as it does';
    return `cannot be looked at: ${errorCode(error)}`;
  }
}
