import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { implicitSettings } from '../../../src/config/implicit.ts';
import { parseShape } from '../../../src/config/schema.ts';
import { resolveSettings } from '../../../src/config/settings.ts';
import { parseSource } from '../../../src/config/source-map.ts';
import { pathFromText } from '../../../src/domain/path.ts';
import { compileScope } from '../../../src/domain/rule.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const SAMPLE = readFileSync(`${ROOT}/config/driftline.yaml`, 'utf8');

function resolved(text: string) {
  const parsed = parseShape(parseSource('driftline.yaml', text).value);
  if ('mistakes' in parsed) throw new Error(JSON.stringify(parsed.mistakes));
  return resolveSettings(parsed.shape, `${ROOT}/hooks`);
}

test('the configuration that is installed is valid and does what it says', () => {
  const { settings, mistakes, warnings } = resolved(SAMPLE);
  expect({ mistakes, warnings }).toEqual({ mistakes: [], warnings: [] });
  const scope = compileScope({ rules: settings.rules, ignore: settings.ignore, own: [] });
  const ruleOf = (path: string) => scope.ruleOf(pathFromText(path))?.name;
  expect(ruleOf('/etc/passwd')).toBe('system');
  expect(ruleOf('/usr/bin/sudo')).toBe('system');
  expect(ruleOf('/etc/mtab')).toBeUndefined();
  expect(ruleOf('/var/log/auth.log')).toBe('logs');
  expect(ruleOf('/home/someone/file')).toBeUndefined();
});

test('every example that is commented out is valid, too', () => {
  const examples = SAMPLE.split('\n').map((line) => line.replace(/^#( {2}|(?=[a-z]+:))/, '$1'));
  const text = examples.join('\n');
  expect(text).not.toBe(SAMPLE);
  const { settings, mistakes } = resolved(text);
  expect(mistakes.filter(({ path }) => path.at(-1) !== 'use' || existsSync(`${ROOT}/hooks/alert-exec`))).toEqual([]);
  expect(settings.hooks.length).toBeGreaterThanOrEqual(2);
});

test('without a configuration there is one rule, with every default of the schema', () => {
  const [baseline, etc] = [pathFromText('/srv/b.db'), pathFromText('/etc')];
  const { settings } = resolved('baseline: /srv/b.db\nrules: [{ name: default, paths: [/etc] }]\n');
  expect(implicitSettings({ baseline, paths: [etc, etc] })).toEqual(settings);
});
