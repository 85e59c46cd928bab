// What hangs together by moves that are open: both names of each are looked at together.
import type { Dirty } from '../domain/dirty.ts';
import { type BytePath, dirOf, hasAncestorIn, outermostPaths, ROOT_DIR, rebasePath } from '../domain/path.ts';
import { rootsFor, type Scope } from '../domain/rule.ts';
import type { OpenDrift } from './ports/store.ts';

/** Adds what hangs together with the dirty paths by open moves. */
export function widen(dirty: readonly Dirty[], moves: MovesByPlace): { paths: Set<BytePath>; trees: Set<BytePath> } {
  const paths = new Set(dirty.filter(({ subtree }) => !subtree).map(({ path }) => path));
  const whole = dirty.filter(({ subtree }) => subtree).map(({ path }) => path);
  const trees = withMoves([...whole, ...[...paths].flatMap((path) => movedAbove(path, moves))], moves);
  for (const path of paths) if (trees.has(path) || hasAncestorIn(path, trees)) paths.delete(path);
  return { paths, trees };
}

/**
 * The trees and both names of every move that has one of them in a tree, or a tree in it: the entries of a moved directory
 * are in the baseline under their old names. Each name that this adds is a tree that others may hang together with.
 */
export function withMoves(trees: readonly BytePath[], moves: MovesByPlace): Set<BytePath> {
  const all = new Set(trees);
  let added = moves.size === 0 ? new Set<BytePath>() : all;
  while (added.size > 0) {
    const found = [...[...added].flatMap((tree) => movedAbove(tree, moves)), ...movedWithin(added, moves)];
    added = new Set(found.filter((tree) => !all.has(tree)));
    for (const tree of added) all.add(tree);
  }
  return all;
}

/** Both names of each move that has the path as one of them, or below it. */
function movedAbove(path: BytePath, moves: MovesByPlace): BytePath[] {
  const found: BytePath[] = [];
  if (moves.size === 0) return found;
  for (let at = path; at !== ROOT_DIR; at = dirOf(at)) {
    for (const { key, path: to } of moves.get(at) ?? []) found.push(key, to);
  }
  return found;
}

/** Both names of each move of which one is in the trees. */
export function movedWithin(trees: ReadonlySet<BytePath>, moves: MovesByPlace): BytePath[] {
  const within = [...moves].filter(([place]) => trees.has(place) || hasAncestorIn(place, trees));
  return within.flatMap(([, here]) => here.flatMap(({ key, path }) => [key, path]));
}

type Move = Pick<OpenDrift, 'key' | 'path'>;

export type MovesByPlace = ReadonlyMap<BytePath, readonly Move[]>;

/** Each move under both of its names. */
export function movesByPlace(moves: readonly Move[]): MovesByPlace {
  const places = new Map<BytePath, Move[]>();
  for (const move of moves) {
    for (const place of [move.key, move.path]) places.set(place, [...(places.get(place) ?? []), move]);
  }
  return places;
}

/** The name in the baseline of what is, or was, in a directory that moved. */
export function oldNameOf(path: BytePath, moves: MovesByPlace): BytePath | undefined {
  if (moves.size === 0) return undefined;
  for (let dir = dirOf(path); dir !== ROOT_DIR; dir = dirOf(dir)) {
    const move = moves.get(dir)?.find((one) => one.path === dir);
    if (move !== undefined) return rebasePath(path, dir, move.key);
  }
  return undefined;
}

/** Of a directory above rule paths it is those paths that are in doubt: a rename or a mount up there moves or hides them. */
export function rootsBelow(trees: readonly BytePath[], scope: Scope): BytePath[] {
  const roots = trees.flatMap((tree) => rootsFor(scope, tree));
  return outermostPaths(roots.filter((root) => scope.ruleOf(root) !== undefined));
}
