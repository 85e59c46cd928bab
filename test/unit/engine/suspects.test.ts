// What a watch answers instead of a walk.
import { expect, test } from 'vitest';
import { findSuspects, type SuspectParts, suspectsWithin } from '../../../src/engine/suspects.ts';
import { path } from '../../fakes/entry.ts';

function partsOf(calls: string[], changes: Partial<SuspectParts> = {}): SuspectParts {
  const note = (name: string) => async (): Promise<void> => {
    calls.push(`${name} begins`);
    await Promise.resolve();
    calls.push(`${name} ends`);
  };
  return {
    settled: note('settled'),
    flush: note('flush'),
    doubtful: () => void calls.push('doubtful'),
    openPaths: () => {
      calls.push('open');
      return [path('/r/b'), path('/r/a'), path('/r/b')];
    },
    unreadPaths: () => [path('/r/large')],
    ...changes,
  };
}

test('waits for the events, reads what is dirty, and then names what differs, each once', async () => {
  const calls: string[] = [];
  expect(await findSuspects(partsOf(calls))).toEqual({ kind: 'suspects', paths: ['/r/a', '/r/b', '/r/large'] });
  expect(calls).toEqual(['settled begins', 'settled ends', 'flush begins', 'flush ends', 'doubtful', 'open']);
});

test('says why it does not know', async () => {
  expect(await findSuspects(partsOf([], { doubtful: () => 'for a reason' }))).toEqual({
    kind: 'unsure',
    reason: 'for a reason',
  });
  const many = Array.from({ length: 50_001 }, (_, index) => path(`/r/${index}`));
  expect(await findSuspects(partsOf([], { openPaths: () => many }))).toMatchObject({ reason: '50002 paths differ' });
});

test('for some roots, what is in them and what they are in counts, and no name that only begins like theirs', () => {
  const within = (paths: string[], roots: string[]) => suspectsWithin(paths.map(path), roots.map(path));
  const paths = ['/r/a', '/r/dir', '/r/dir/sub', '/r/dir-2', '/r/dir-2/in'];
  expect(within(paths, ['/r'])).toEqual(['/r/a', '/r/dir', '/r/dir-2']);
  expect(within(paths, ['/r/dir'])).toEqual(['/r/dir']);
  expect(within(paths, ['/r/dir/sub/in', '/r/b'])).toEqual(['/r/dir/sub/in']);
  expect(within(paths, ['/r/di'])).toEqual([]);
  expect(within([], ['/r'])).toEqual([]);
});
