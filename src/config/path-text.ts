// Paths and patterns as a configuration writes them.
import { errorMessage } from '../domain/errors.ts';
import { compilePatterns, patternProblem } from '../domain/glob.ts';

/** One spelling per path: no doubled or trailing slash, no `.`; undefined when it is relative or has `..` or NUL. */
export function normalPath(text: string): string | undefined {
  if (!text.startsWith('/') || text.includes('\0')) return undefined;
  const names = text.split('/').filter((part) => part !== '' && part !== '.');
  return names.includes('..') ? undefined : `/${names.join('/')}`;
}

/** What is wrong with a pattern of `exclude` or `ignore`, or undefined. */
export function patternMistake(pattern: string): string | undefined {
  const problem = patternProblem(pattern);
  if (problem !== undefined) return problem;
  if (pattern.includes('\0')) return 'contains NUL';
  try {
    compilePatterns([pattern]);
    return undefined;
  } catch (error) {
    // picomatch refuses patterns beyond 65,536 characters, and what makes no regular expression.
    return `is not a usable pattern: ${errorMessage(error)}`;
  }
}
