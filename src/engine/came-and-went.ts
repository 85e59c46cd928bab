// What was added and is gone again before any run was told of it, or came upon it.
import { addTo } from '../domain/gather.ts';
import type { BytePath } from '../domain/path.ts';
import type { HookInput } from '../domain/settings.ts';
import type { WaitingItem } from './ports/outbox.ts';

export interface WhoHasSeen {
  readonly stdin: HookInput;
  /** Up to it, a run that did not end well may have seen what was there. */
  readonly triedNumber: number;
  /** Whether a run that was given the path for another reason may have (`GivenPaths`); ms since the epoch. */
  readonly mayHaveRead: (path: BytePath, sinceMs: number) => boolean;
}

/**
 * The numbers of items that tell of nothing but that: a hook that looks for itself finds nothing there, as before. Who is
 * given records is told: that a file came and went may be what somebody has to know.
 */
export function cameAndWent(
  waiting: readonly WaitingItem[],
  { stdin, triedNumber, mayHaveRead }: WhoHasSeen,
): ReadonlySet<number> {
  const gone = new Set<number>();
  if (stdin === 'ndjson' || stdin === 'text') return gone;
  for (const [path, items] of byPath(waiting)) {
    const [first, last] = [items[0], items.at(-1)];
    if (first === undefined || last === undefined || first === last) continue;
    if (items.some(({ paths, number }) => paths.length > 1 || number <= triedNumber)) continue;
    if (kindOf(first) !== 'added' || !GONE.has(kindOf(last)) || mayHaveRead(path, first.atMs)) continue;
    for (const { number } of items) gone.add(number);
  }
  return gone;
}

/** `resolved`: what was added is not there any more. */
const GONE: ReadonlySet<string> = new Set(['removed', 'resolved']);

function byPath(waiting: readonly WaitingItem[]): Map<BytePath, WaitingItem[]> {
  const found = new Map<BytePath, WaitingItem[]>();
  for (const item of waiting) for (const path of item.paths) addTo(found, path, item);
  return found;
}

function kindOf({ record }: WaitingItem): string {
  // What somebody asked for by hand has no drift to tell of.
  if (record === '') return '';
  const { type, kind } = JSON.parse(record) as { readonly type?: unknown; readonly kind?: unknown };
  return String(type === 'drift' ? kind : type);
}
