// What the service manager is told of coverage.
import { expect, test } from 'vitest';
import { serviceStatus } from '../../../src/cli/service-status.ts';
import type { Coverage } from '../../../src/domain/coverage.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import type { Store } from '../../../src/engine/ports/store.ts';

const seen: Coverage = { mount: pathFromText('/'), mode: 'filesystem', sinceMs: 0, gaps: 0, reason: undefined };
const lost = (mount: string, reason?: string): Coverage => ({
  ...seen,
  mount: pathFromText(mount),
  mode: 'none',
  reason,
});
const storeOf = (entries: number): Pick<Store, 'baseline'> => {
  const info = () => ({ generation: 1, entries, createdMs: 0, roots: [] });
  return { baseline: { info } as unknown as Store['baseline'] };
};

test.each<[string, readonly Coverage[], number]>([
  ['watching 1 mount, 1 entry', [seen], 1],
  ['watching 1 mount, 12,345 entries', [seen, lost('/there/is/none', 'does not exist')], 12_345],
  ['watching 1 mount, 0 entries; not seen: /tmp (no event)', [seen, lost('/tmp', 'no event')], 0],
  ['watching no mounts, 2 entries; not seen: /usr and 1 more', [lost('/usr'), lost('/tmp')], 2],
])('%s', (text, coverage, entries) => {
  expect(serviceStatus(coverage, storeOf(entries))).toBe(text);
});
