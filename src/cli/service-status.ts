// One line on a running watch, for who looks at the service (sd_notify(3), STATUS).
import type { Coverage } from '../domain/coverage.ts';
import { escapePath } from '../domain/escape.ts';
import type { Store } from '../engine/ports/store.ts';
import { countText, pluralText } from '../report/quantity.ts';
import { isLostCoverage } from '../watch/absence.ts';

/** `watching 2 mounts, 40 entries`, and what is there and not seen. Escaped. */
export function serviceStatus(coverage: readonly Coverage[], { baseline }: Pick<Store, 'baseline'>): string {
  const { entries } = baseline.info();
  const mounts = coverage.filter(({ mode }) => mode !== 'none').length;
  const watching = `watching ${pluralText(mounts, 'mount')}, ${entries === 1 ? '1 entry' : `${countText(entries)} entries`}`;
  const [first, ...others] = coverage.filter(isLostCoverage);
  if (first === undefined) return watching;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `${watching}; not seen: ${escapePath(first.mount)}${more}${first.reason === undefined ? '' : ` (${first.reason})`}`;
}
