// Rule paths as the kernel names them: events and walks never go through a symbolic link above a path.
import { lstatSync } from 'node:fs';
import { resolveTrustedLinks } from '../config/trusted-links.ts';
import { errorCode } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, dirOf, joinPath, nameOf, pathToBytes, ROOT } from '../domain/path.ts';
import type { Settings } from '../domain/settings.ts';

/**
 * The path with the links above it resolved that only root and the running user can change, its last name as it is. What
 * does not exist, or lies behind another link, stays as it is named: whoever swaps a directory for a link does not move a rule.
 */
export function canonicalPath(path: BytePath): BytePath {
  return path === ROOT ? path : joinPath(resolveTrustedLinks(dirOf(path)).path, nameOf(path));
}

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
  const { refused } = resolveTrustedLinks(dirOf(path));
  if (refused !== undefined) {
    return `lies behind the symbolic link ${escapePath(refused)}, which others can change: it is not followed`;
  }
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
