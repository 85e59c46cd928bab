// Which rule the entries of a directory have.
import { pathFromLatin1 } from '../domain/path.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import { prefixOf } from './directory.ts';
import type { Work } from './protocol.ts';

/** Below a directory of the walk only the entry itself is tested; of single names nothing is known yet. */
export function ruleFinder(scope: Scope, { kind, dir, rule }: Work): (name: string) => Rule | undefined {
  const prefix = prefixOf(dir);
  if (kind === 'names') return (name) => scope.ruleOf(pathFromLatin1(prefix + name));
  const parent = scope.rules[rule];
  // Most directories: no path has to be made for each of their names.
  if (parent !== undefined && scope.isUniform(parent, dir)) return () => parent;
  return (name) => scope.childRule(parent, pathFromLatin1(prefix + name), pathFromLatin1(name));
}
