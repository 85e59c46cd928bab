// Where a walk starts.
import { AppError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';
import { type BytePath, outermostPaths } from '../domain/path.ts';
import { rootsFor, type Scope } from '../domain/rule.ts';

/** The roots for the given paths, or of all rules when there are none; USAGE when no rule covers a path. */
export function walkRoots(scope: Scope, paths: readonly BytePath[]): BytePath[] {
  if (paths.length === 0) return outermostPaths(scope.roots.filter((root) => scope.ruleOf(root) !== undefined));
  return outermostPaths(
    paths.flatMap((path) => {
      const roots = rootsFor(scope, path);
      if (roots.length > 0) return roots;
      throw new AppError('USAGE', `no rule covers ${escapePath(path)}`, { hint: '`driftline explain PATH` says why' });
    }),
  );
}
