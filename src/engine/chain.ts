// What runs of hooks do must not start runs without an end: neither a hook itself, nor two that answer each other.
import type { Actor } from '../domain/actor.ts';
import type { Lane } from './lane-state.ts';
import type { Clock } from './ports/clock.ts';

export interface Chains {
  /** Whether the hook is not to be told of what the actors did (`Trigger.isOwnDoing`). */
  isBroken(hook: string, actors: readonly Actor[]): boolean;
}

/** `longest`: so many runs may follow from each other. */
export function openChains(lanes: ReadonlyMap<string, Lane>, longest: number, clock: Clock): Chains {
  const told = new Set<Lane>();
  return {
    isBroken(hook, actors) {
      const lane = lanes.get(hook);
      if (lane === undefined) return false;
      const nowMs = clock.monotonicMs();
      if (lane.own.causedAt(actors, nowMs) !== undefined) return true;
      const depth = depthOf(lanes, actors, nowMs);
      if (depth === undefined) {
        told.delete(lane);
        return false;
      }
      if (depth < longest) {
        lane.depth = Math.max(lane.depth, depth + 1);
        return false;
      }
      if (!told.has(lane)) {
        const message = `${longest} runs of hooks have followed from each other: what the last did does not start it`;
        lane.news.push({ kind: 'chain', message });
        lane.wake.abort();
      }
      told.add(lane);
      return true;
    },
  };
}

/** When runs of hooks, and nobody else, did it: how many have followed from each other. */
function depthOf(lanes: ReadonlyMap<string, Lane>, actors: readonly Actor[], nowMs: number): number | undefined {
  if (actors.length === 0) return undefined;
  const depths = actors.map((actor) => {
    const found = [...lanes.values()].map(({ own }) => own.causedAt([actor], nowMs));
    const known = found.filter((depth) => depth !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  });
  return depths.every((depth) => depth !== undefined) ? Math.max(...depths) : undefined;
}
