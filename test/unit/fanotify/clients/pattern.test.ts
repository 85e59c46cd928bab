// Patterns against bash: `[[ text == pattern ]]` with extglob is the same language.
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileWildcard } from '../../../../src/fanotify/clients/pattern.ts';

type Pair = readonly [text: string, pattern: string];

const SCRIPT = `shopt -s extglob
while IFS= read -r -d '' text && IFS= read -r -d '' pattern; do
  # shellcheck disable=SC2053
  if [[ $text == $pattern ]]; then printf 1; else printf 0; fi
done`;

/** One process for all pairs; latin1, C locale. */
function askBash(pairs: readonly Pair[]): boolean[] {
  const input = Buffer.from(pairs.map(([text, pattern]) => `${text}\0${pattern}\0`).join(''), 'latin1');
  const asked = spawnSync('bash', ['--norc', '-c', SCRIPT], { input, env: { LC_ALL: 'C' }, encoding: 'latin1' });
  expect(asked.stderr).toBe('');
  expect(asked.stdout).toHaveLength(pairs.length);
  return [...asked.stdout].map((answer) => answer === '1');
}

function expectAsBash(pairs: readonly Pair[]): void {
  const bash = askBash(pairs);
  const wrong = pairs.flatMap(([text, pattern], index) =>
    compileWildcard(pattern)(text) === bash[index] ? [] : [{ text, pattern, bash: bash[index] }],
  );
  // The shortest say most.
  wrong.sort((a, b) => a.text.length + a.pattern.length - b.text.length - b.pattern.length);
  expect(wrong.slice(0, 8)).toEqual([]);
}

const text = fc.string({ unit: fc.constantFrom(...'aab/.\\[]-\xff'), maxLength: 8 });
const atom = fc.constantFrom(
  ...['a', 'b', '/', '.', '\xff', '*', '?', '[ab]', '[!a]', '[^/]', '[a-]', '[]a]', '[!]]', '[[:alpha:]]', '[b-a]'],
  ...['[[:punct:]x]', '\\*', '\\a', '\\\\', '!', '@', '[.-a]'],
);
const { pattern } = fc.letrec<{ pattern: string; part: string; group: string }>((tie) => ({
  pattern: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  part: fc.oneof({ maxDepth: 2 }, atom, tie('group')),
  group: fc
    .tuple(
      fc.constantFrom(...'?*+@!'),
      fc.array(
        fc.array(tie('part'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
        { minLength: 1, maxLength: 3 },
      ),
    )
    .map(([operator, alternatives]) => `${operator}(${alternatives.join('|')})`),
}));

test('random patterns and texts match as in bash', () => {
  // Where a star stands before a group, bash does not always see that the group may be empty: `[[ a == *+(|b) ]]` fails,
  // and so does `[[ a == @(*?!(b)) ]]`.
  const usual = pattern.filter((candidate) => !/\*[?*]*[?*+@!]\(/.test(candidate));
  // Where a failure helps nobody to go on, the pairs are always the same.
  const seed = process.env['CI'] ? 1 : Date.now() % 2 ** 31;
  expectAsBash(fc.sample(fc.tuple(text, usual), { numRuns: 10_000, seed }));
});

const matches = (text: string, pattern: string): boolean => compileWildcard(pattern)(text);

test.each<[text: string, pattern: string, expected: boolean]>([
  // fnmatch(3) without FNM_PATHNAME and FNM_PERIOD
  ['/srv/a/b/c', '/srv/*', true],
  ['/srv/.hidden', '/srv/*', true],
  ['/srv/a', '/srv?a', true],
  ['/SRV', '/srv', false],
  ['', '', true],
  ['', '*', true],
  ['', '?', false],
  // groups that may be empty behind a star
  ['a', '*+(|b)', true],
  ['a', '*@(b|)', true],
  ['a.bak', '*!(.bak)', true],
  ['a.bak', '!(*.bak)', false],
  // not closed: taken literally
  ['[a', '[a', true],
  ['a', '[a', false],
  ['+(a', '+(a', true],
  ['a)', 'a)', true],
  ['a|b', 'a|b', true],
  ['a\\', 'a\\', true],
  ['+(a)', '\\+(a)', true],
  ['a)', '@(a[)]|b)', true],
  // bracket expressions
  ['=', '[[=b=]]', false],
  ['b', '[[=b=]]', true],
  ['.', '[[...]]', true],
  ['a', '[[:nothing:]]', false],
  ['\n', '[[:space:]]', true],
  ['\xe9', '[[:alpha:]]', false],
  ['\xe9', '[!a]', true],
])('%j against %j: %j', (text, pattern, expected) => {
  expect(matches(text, pattern)).toBe(expected);
});

test('no pattern takes exponential time', () => {
  const text = `${'a'.repeat(150)}b`;
  expect(matches(text, '*a*a*a*a*a*a*a*a*a*a*c')).toBe(false);
  expect(matches(text, '*(*(*(*(a|aa)|a)|a*)|?)c')).toBe(false);
  expect(matches(text, '!(!(!(!(*a)*a)*a)*a)c')).toBe(false);
  expect(matches(text, `${'?(a)'.repeat(32)}*c`)).toBe(false);
});

test('patterns beyond reason are refused', () => {
  expect(() => compileWildcard('a'.repeat(4097))).toThrow('longer than 4096 bytes');
  expect(() => compileWildcard('+('.repeat(33) + ')'.repeat(33))).toThrow('more than 32 groups');
});
