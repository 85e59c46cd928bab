// Which of a filesystem's paths the rules want to hear of.
import { type BytePath, isWithin } from '../domain/path.ts';
import type { Scope } from '../domain/rule.ts';

/** `root`: a rule path itself. `above`: a rule path lies below. */
export type Relevance = 'covered' | 'root' | 'above' | 'outside';

const CACHE_MAX = 65_536;

/** The question is asked for every event, mostly for the same paths: answers are kept, bounded. */
export function compileRelevance(scope: Scope): (path: BytePath) => Relevance {
  const cache = new Map<string, Relevance>();
  const roots = new Set<string>(scope.roots);
  const ask = (path: BytePath): Relevance => {
    if (scope.ruleOf(path) !== undefined) return roots.has(path) ? 'root' : 'covered';
    return scope.roots.some((root) => root !== path && isWithin(root, path)) ? 'above' : 'outside';
  };
  return (path) => {
    let answer = cache.get(path);
    if (answer === undefined) {
      if (cache.size >= CACHE_MAX) cache.clear();
      answer = ask(path);
      cache.set(path, answer);
    }
    return answer;
  };
}
