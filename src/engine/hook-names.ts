// Under which names hooks are told of a drift.
import { recordName, recordOffsets } from '../domain/packed.ts';
import { type BytePath, joinPath, rebasePath } from '../domain/path.ts';
import type { OutboxItem } from './ports/outbox.ts';
import type { Store } from './ports/store.ts';

/** `names`: asked only if there is somebody to be told; of a directory that moved they are very many. */
export function outboxItems(hooks: readonly string[], record: string, names: () => readonly BytePath[]): OutboxItem[] {
  if (hooks.length === 0) return [];
  const paths = names();
  return hooks.map((hook) => ({ hook, record, paths }));
}

/**
 * Every name that a hook may know it by: that in the baseline and those of `places`, which are where it was last and where it
 * is now. Of a directory that moved also the names of everything that came along.
 */
export function namesOf(
  key: BytePath,
  places: readonly BytePath[],
  isDirectory: boolean,
  { baseline }: Store,
): BytePath[] {
  const names = new Set([key, ...places]);
  const tops = [...names];
  if (tops.length === 1 || !isDirectory) return tops;
  for (const { dir, run } of baseline.below(key)) {
    for (const at of recordOffsets(run)) {
      const old = joinPath(dir, recordName(run, at));
      for (const top of tops) names.add(rebasePath(old, key, top));
    }
  }
  return [...names];
}
