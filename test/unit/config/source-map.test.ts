import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DURATION_MAX_MS, parseBackoff, parseDuration } from '../../../src/config/duration.ts';
import { parseShape } from '../../../src/config/schema.ts';
import { resolveSettings } from '../../../src/config/settings.ts';
import { parseSource } from '../../../src/config/source-map.ts';
import { AppError } from '../../../src/domain/errors.ts';

function verdict(text: string): string {
  try {
    parseSource('c.yaml', text);
    return 'fine';
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONFIG') return error.message;
    throw error;
  }
}

test('lines of keys, list items and what is not there', () => {
  const { lineOf, value } = parseSource('c.yaml', 'a:\n  - x\n  - b: 1\n    c: &c\n      d: 2\ne: *c\n');
  expect(value).toEqual({ a: ['x', { b: 1, c: { d: 2 } }], e: { d: 2 } });
  expect(lineOf(['a'])).toBe(1);
  expect(lineOf(['a', 1, 'c'])).toBe(4);
  expect(lineOf(['a', 1, 'c', 'd'])).toBe(5);
  expect(lineOf(['e', 'd'])).toBe(5);
  expect(lineOf(['e', 'missing'])).toBe(6);
  expect(lineOf(['a', 0, 'x', 'y'])).toBe(2);
  expect(lineOf([])).toBe(1);
});

const TEXTS: readonly (readonly [string, string, string])[] = [
  ['duplicate key', 'a: 1\nb: 2\na: 3\n', 'c.yaml:3: map keys must be unique'],
  ['tab', 'a:\n\tb: 1\n', 'c.yaml:2: tabs are not allowed as indentation'],
  ['unclosed', 'a: [1\n', ''],
  ['unknown tag', 'a: !!js/function x\n', 'c.yaml:1: unresolved tag: tag:yaml.org,2002:js/function'],
  ['unknown alias', 'a: 1\nb: *z\n', 'c.yaml:2: alias *z names no anchor'],
  ['alias in itself', 'a: &a [*a]\n', 'c.yaml:1: alias *a contains itself'],
  ['list as key', '? [a]\n: b\n', 'c.yaml:1: a key must be a word'],
  ['alias as key', 'a: &a x\n*a : b\n', 'c.yaml:2: a key must be a word'],
  ['not UTF-8', 'a: 1\nb: \ufffd\n', 'c.yaml:2: is not valid UTF-8'],
  ['two documents', 'a: 1\n---\nb: 2\n', ''],
];

test.each(TEXTS)('%s', (_, text, expected) => {
  if (expected === '') expect(verdict(text)).toMatch(/^c\.yaml:\d: [a-z]/);
  else expect(verdict(text)).toBe(expected);
});

test('a bomb of aliases, deep nesting and a huge text end early', () => {
  const bomb = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`).join('\n');
  expect(verdict(`a0: &a0 [x]\n${bomb}\n`)).toContain('excessive alias count');
  for (const nest of ['[', '{a: ', '- ', '? ', '[{']) {
    expect(verdict(nest.repeat(20_000))).toBe('c.yaml: is nested more than 50 deep');
  }
  expect(verdict(`${'['.repeat(50)}${']'.repeat(50)}`)).toBe('fine');
  expect(verdict(`a: ${'x'.repeat(1024 * 1024)}`)).toBe('c.yaml: is larger than 1048576 bytes');
});

const SAMPLE = `baseline: /srv/b.db
watch: { marks: mount, who: proc, quiet: 100ms, deadline: 1h 30m, sweep: { critical: off } }
ignore: [/var/cache, '*.swp']
attributes: { logs: &x [owner, growing], more: *x }
rules:
  - { name: system, paths: [/etc//ssh/./, /], exclude: ['/etc/[a'], attributes: strict, hooks: [mirror] }
hooks:
  mirror: { run: [rsync, -a], quiet: 1s, with: { to: root }, retry: { attempts: 3, backoff: 2s..1m } }
`;

/** All of loading but the file. */
function loadText(text: string): void {
  const source = parseSource('c.yaml', text);
  const parsed = parseShape(source.value);
  const mistakes = 'mistakes' in parsed ? parsed.mistakes : resolveSettings(parsed.shape, '/nonexistent').mistakes;
  for (const { path, message } of mistakes) {
    expect(source.lineOf(path)).toBeGreaterThan(0);
    expect(message).toMatch(/^\P{Lu}/u);
  }
}

const mutation = fc.record({
  at: fc.nat(SAMPLE.length),
  drop: fc.nat(8),
  put: fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom(
      'null',
      '&a ',
      '*a',
      '*x',
      '[',
      '{',
      ']',
      '}',
      '\n',
      '- ',
      ': ',
      '!!',
      '__proto__: ',
      '1',
      '|\n',
      '"',
      '\0',
    ),
  ),
});

test('mutated configurations fail as CONFIG or not at all', { timeout: 120_000 }, () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 5 }), (mutations) => {
      const text = mutations.reduce((t, { at, drop, put }) => t.slice(0, at) + put + t.slice(at + drop), SAMPLE);
      try {
        loadText(text);
      } catch (error) {
        expect(error).toMatchObject({ code: 'CONFIG' });
        refused++;
      }
    }),
    { numRuns: 1500 },
  );
  expect(refused).toBeGreaterThan(100);
});

test('any value is judged, never a crash', () => {
  const keys = fc.constantFrom(
    'rules',
    'hooks',
    'watch',
    'sweep',
    'name',
    'paths',
    'run',
    'with',
    'retry',
    'attributes',
    '__proto__',
    'constructor',
  );
  const { value: any } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(any, (value) => loadText(JSON.stringify(value) ?? 'null')),
    { numRuns: 800 },
  );
});

test('durations', () => {
  expect(['200ms', '5s', '5m', '24h', '1h 30m', '1d', '0s', '1h30m'].map(parseDuration)).toEqual([
    200, 5000, 300_000, 86_400_000, 5_400_000, 86_400_000, 0, 5_400_000,
  ]);
  expect(['', '5', '5 s', '-5s', '1.5s', '5S', 's', '5s ', '25d', '9999999999d'].map(parseDuration)).toEqual(
    Array(10).fill(undefined),
  );
  expect(parseDuration(`${DURATION_MAX_MS}ms`)).toBe(DURATION_MAX_MS);
  expect(parseBackoff('1s..5m')).toEqual({ minMs: 1000, maxMs: 300_000 });
  expect(['1s', '1s..', '5m..1s', '0s..1s', '1s...2s', '1s..2s..3s'].map(parseBackoff)).toEqual(
    Array(6).fill(undefined),
  );
});
