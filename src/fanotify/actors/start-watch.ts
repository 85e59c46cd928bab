// Looks at programs the moment that they start, for queues that are read later.
import { type Actors, isLoader, type Started } from './actors.ts';
import { type Image, type ParentsOf, readBriefly, readImage, readOwner } from './proc.ts';

/** What an ExecWatch tells. */
export type StartSink = Pick<Actors, 'execed' | 'loading' | 'settle'>;

/** Told of each start, and once more when more is known of it. */
export interface StartListener {
  begin(pid: number, started: Started): void;
  complete(pid: number, started: Started): void;
}

interface Noted {
  readonly exes: string[];
  image: Image | undefined;
}

/** Parents are taken from what was seen of them so recently. */
const PARENTS_MS = 1_000;

export function watchStarts({ begin, complete }: StartListener): StartSink {
  const noted = new Map<number, Noted>();
  const parents = new Map<number, readonly number[]>();
  let parentsMs = 0;
  const parentsOf: ParentsOf = (pid) => parents.get(pid);

  const note = (pid: number): Noted => {
    const known = noted.get(pid) ?? { exes: [], image: undefined };
    noted.set(pid, known);
    return known;
  };

  const settlePid = (pid: number, { exes, image }: Noted, nowMs: number): void => {
    const last = exes.at(-1);
    // A program that is not in place yet, or over already: its name is sure, its command line is not.
    const isInPlace = image?.exe !== undefined && (last === undefined || last === image.exe);
    const owner = isInPlace ? readOwner(pid, parentsOf) : readBriefly(pid, parentsOf);
    const [parent, ...further] = owner?.ppids ?? [];
    if (parent !== undefined) parents.set(parent, further);
    for (const exe of exes) begin(pid, { image: { exe, cmdline: undefined }, owner, atMs: nowMs });
    if (isInPlace) complete(pid, { image, owner, atMs: nowMs });
  };

  return {
    execed(pid, exe) {
      if (!isLoader(exe)) note(pid).exes.push(exe);
    },
    loading(pid) {
      note(pid).image = readImage(pid);
    },
    settle(nowMs) {
      if (Math.abs(nowMs - parentsMs) >= PARENTS_MS) {
        parentsMs = nowMs;
        parents.clear();
      }
      for (const [pid, one] of noted) settlePid(pid, one, nowMs);
      noted.clear();
    },
  };
}
