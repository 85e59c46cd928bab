// What is watched, how, since when, and what is not, in words.
import { type Coverage, unseenBy } from '../domain/coverage.ts';
import { escapePath, escapeText } from '../domain/escape.ts';
import { pluralText } from './quantity.ts';
import { timeTextMs } from './time-text.ts';

/** `watched: /srv  mount since 2026-..., 0 gaps: overlay has ...; no event tells of names, ...`: one line, escaped. */
export function coverageLine({ mount, mode, sinceMs, gaps, reason }: Coverage): string {
  const why = reason === undefined ? '' : `: ${escapeText(reason)}`;
  const how = `${mode} since ${timeTextMs(sinceMs)}, ${pluralText(gaps, 'gap')}${why}`;
  return `watched: ${escapePath(mount)}  ${how}; no event tells of ${unseenBy(mode)}`;
}
