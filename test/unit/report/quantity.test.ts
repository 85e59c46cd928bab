import { expect, test } from 'vitest';
import { intervalText } from '../../../src/report/quantity.ts';

test.each([
  [86_400_000, '24h'],
  [604_800_000, '7d'],
  [300_000, '5m'],
  [90_000, '90s'],
  [1_500, '1500ms'],
])('%d ms is written as in a configuration: %s', (ms, text) => {
  expect(intervalText(ms)).toBe(text);
});
