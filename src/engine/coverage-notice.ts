// What became of the events of a mount or rule path, as one line for a person.
import type { Coverage } from '../domain/coverage.ts';
import { escapePath, escapeText } from '../domain/escape.ts';
import type { CoverageState } from './ports/event-source.ts';

/** `coverage: /srv is lost: no event came when ...`, `coverage: /srv is watched (filesystem)`; escaped. */
export function coverageNotice({ mount, mode, reason }: Coverage, state: CoverageState): string {
  const how = mode === 'none' ? '' : ` (${mode})`;
  const why = reason === undefined ? '' : `: ${escapeText(reason)}`;
  return `coverage: ${escapePath(mount)} is ${TEXTS[state]}${how}${why}`;
}

const TEXTS: Readonly<Record<CoverageState, string>> = {
  lost: 'lost',
  covered: 'covered by another mount',
  watched: 'watched',
};
