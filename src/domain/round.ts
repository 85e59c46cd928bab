// Reading everything in several parts, one after the other: a directory belongs to one of them for ever.
import type { BytePath } from './path.ts';
import { hashOfDirectory } from './quick-seal.ts';

export interface Round {
  /** 0 <= part < parts. */
  readonly part: number;
  readonly parts: number;
}

/** All of it at once. */
export const WHOLE: Round = { part: 0, parts: 1 };

/** Whether what is in a directory is read in this part. */
export function hasTurn({ part, parts }: Round, dir: BytePath): boolean {
  return hashOfDirectory(dir) % parts === part;
}

/** How many parts there may be if one comes every `everyMs` and each has to come again within `withinMs` (undefined: every time). */
export function partsWithin(withinMs: number | undefined, everyMs: number): number {
  return withinMs === undefined ? 1 : Math.max(1, Math.floor(withinMs / everyMs));
}

/** The part after the last one; where there was none, or there were other parts, the first. */
export function partAfter(last: Round | undefined, parts: number): number {
  return last?.parts === parts ? (last.part + 1) % parts : 0;
}
