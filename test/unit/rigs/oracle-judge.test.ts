// What the oracle rig takes for told: too much of it, and the rig would not notice what it is there for.
import { expect, test } from 'vitest';

interface Told {
  readonly type: 'drift' | 'resolved';
  readonly kind?: string;
  readonly path: string;
  readonly from?: string;
  readonly before?: { readonly type: string };
}

type Untold = (
  former: ReadonlyMap<string, string[]>,
  entries: ReadonlyMap<string, string[]>,
  records: readonly Told[],
  open: readonly Told[],
) => string[];

const { untold } = (await import(new URL('../../rigs/oracle-judge.mjs', import.meta.url).href)) as { untold: Untold };

const moved: Told = { type: 'drift', kind: 'moved', path: '/b', from: '/a', before: { type: 'directory' } };
const was = new Map([['/b/x', ['file', '1']]]);

test.each<[string, Told[], string[]]>([
  ['nothing is said', [], ['/b/x']],
  ['by its old name', [{ type: 'drift', kind: 'removed', path: '/a/x' }], []],
  ['as moved from there', [{ type: 'drift', kind: 'moved', path: '/c', from: '/a/x' }], []],
  ['as changed', [{ type: 'drift', kind: 'changed', path: '/b/x', from: '/a/x' }], []],
  ['something new at the old name is something else', [{ type: 'drift', kind: 'added', path: '/a/x' }], ['/b/x']],
  ['so is what moved there', [{ type: 'drift', kind: 'moved', path: '/a/x', from: '/d' }], ['/b/x']],
])('what is in a directory that moved before: %s', (_, records, expected) => {
  expect(untold(was, new Map(), records, [moved])).toEqual(expected);
});
