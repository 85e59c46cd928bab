// What a reload has to watch anew for, and what not.
import { expect, test } from 'vitest';
import { isSameWatch } from '../../../src/cli/same-watch.ts';
import { implicitSettings } from '../../../src/config/implicit.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import type { WatchSettings } from '../../../src/domain/settings.ts';

const SETTINGS = implicitSettings({ baseline: pathFromText('/b.db'), paths: [pathFromText('/srv')] });
const withWatch = (watch: Partial<WatchSettings>) => ({ ...SETTINGS, watch: { ...SETTINGS.watch, ...watch } });
const { sweep } = SETTINGS.watch;

test.each<[string, Partial<WatchSettings>]>([
  ['canary', { canaryMs: 1_000 }],
  ['canary: off', { canaryMs: undefined }],
  ['sweep.normal', { sweep: { ...sweep, normalMs: 1_000 } }],
  ['sweep.maxRate', { sweep: { ...sweep, bytesPerSecond: undefined } }],
  ['sweep.content', { sweep: { ...sweep, content: { criticalMs: undefined, normalMs: 604_800_000 } } }],
  ['quiet', { quietMs: 1 }],
])('another %s is another watch', (_, watch) => {
  expect(isSameWatch(SETTINGS, withWatch(watch))).toBe(false);
});

test('the same settings are the same watch, and so are other limits of hooks', () => {
  expect(isSameWatch(SETTINGS, withWatch({ sweep: { ...sweep } }))).toBe(true);
  expect(isSameWatch(SETTINGS, withWatch({ hooks: { concurrency: 1, chain: 1 } }))).toBe(true);
});
