// What is watched, how, since when, and what is not, in words.
import { type Coverage, unseenBy } from '../domain/coverage.ts';
import { escapePath, escapeText } from '../domain/escape.ts';
import { pluralText } from './quantity.ts';
import { timeTextMs } from './time-text.ts';

/** `watched: /srv  mount since 2026-..., no gaps: overlay has ...; no event tells of names, ...`: one line, escaped. */
export function coverageLine({ mount, sinceMs, ...how }: Coverage): string {
  return `watched: ${escapePath(mount)}  ${sightText({ ...how, since: timeTextMs(sinceMs), unseen: unseenBy(how.mode) })}`;
}

interface Sight {
  /** A CoverageMode. */
  readonly mode: string;
  /** RFC 3339. */
  readonly since: string;
  readonly gaps: number;
  readonly reason?: string | undefined;
  readonly unseen: string;
}

/** How something is watched: `mount since 2026-..., no gaps: overlay has ...; no event tells of names, ...`; escaped. */
export function sightText({ mode, since, gaps, reason, unseen }: Sight): string {
  const why = reason === undefined ? '' : `: ${escapeText(reason)}`;
  if (mode === 'none') return `none since ${since}${why}`;
  const lost = mode === 'sweep' ? '' : `, ${pluralText(gaps, 'gap')}`;
  return `${mode} since ${since}${lost}${why}; no event tells of ${unseen}`;
}
