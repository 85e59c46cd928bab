// Patterns of `exclude:` and `ignore:`. The only import of picomatch.
//   /var/cache      this path and everything below it
//   *.swp           any file or directory of that name, at any depth, and everything below it
//   /srv/**/tmp     a glob over the whole path: `*` stops at a slash, `**` does not
// Matching is on bytes (one character each); `?` and `[...]` therefore stand for one byte.
import { createRequire } from 'node:module';
import { type BytePath, pathFromText } from './path.ts';

const require = createRequire(import.meta.url);

/** Returns the first pattern (as it was written) that matches, or undefined. */
export type PathMatcher = (path: BytePath, name: BytePath) => string | undefined;

export function compilePatterns(patterns: readonly string[]): PathMatcher {
  if (patterns.length === 0) return () => undefined;
  // Not before somebody has a pattern: each worker thread would load it.
  const picomatch = require('picomatch') as typeof import('picomatch');
  const exact = new Map<string, string>();
  const tests: { readonly pattern: string; readonly whole: boolean; readonly test: (text: string) => boolean }[] = [];
  for (const pattern of patterns) {
    const bytes = pathFromText(trimSlash(pattern));
    const whole = bytes.startsWith('/');
    if (picomatch.scan(bytes).isGlob) {
      tests.push({ pattern, whole, test: picomatch(bytes, { dot: true, nonegate: true }) });
    } else {
      exact.set(bytes, pattern);
    }
  }
  return (path, name) =>
    exact.get(path) ?? exact.get(name) ?? tests.find(({ whole, test }) => test(whole ? path : name))?.pattern;
}

/** Why a pattern cannot be used, or undefined when it can. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === '' || pattern === '/') return 'would match everything';
  if (!pattern.startsWith('/') && trimSlash(pattern).includes('/')) return 'has a slash but does not start with one';
  return undefined;
}

function trimSlash(pattern: string): string {
  return pattern.length > 1 && pattern.endsWith('/') ? pattern.slice(0, -1) : pattern;
}
