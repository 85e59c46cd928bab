// A page while it is read.
import type { BytePath } from '../domain/path.ts';
import type { Page } from '../engine/ports.ts';
import type { FoundPage, Work } from './protocol.ts';

export interface OpenPage {
  below(name: BytePath, rule: number): void;
  foreign(name: BytePath): void;
  /** `end`: where its records end; `upTo`: the last name that it speaks of. */
  end(end: number, bytesRead: number, upTo: BytePath | undefined): FoundPage;
}

export function startPage(work: Work, bytesReadBefore: number): OpenPage {
  const below: BytePath[] = [];
  const belowRules: number[] = [];
  const foreign: BytePath[] = [];
  return {
    below: (name, rule) => {
      below.push(name);
      belowRules.push(rule);
    },
    foreign: (name) => void foreign.push(name),
    end: (end, bytesRead, upTo) => ({
      dir: work.dir,
      extent: extentOf(work, upTo),
      end,
      failed: 0,
      bytesRead: bytesRead - bytesReadBefore,
      below,
      belowRules,
      foreign,
    }),
  };
}

/** The page of a directory that is not there (`failed` 0) or cannot be read. */
export function emptyPage(work: Work, end: number, failed: number): FoundPage {
  const extent = extentOf(work, work.kind === 'range' ? work.upTo : undefined);
  return { dir: work.dir, extent, end, failed, bytesRead: 0, below: [], belowRules: [], foreign: [] };
}

function extentOf(work: Work, upTo: BytePath | undefined): Page['extent'] {
  if (work.kind === 'names') return { kind: 'names', names: work.names };
  return { kind: 'range', after: work.kind === 'range' ? work.after : undefined, upTo };
}
