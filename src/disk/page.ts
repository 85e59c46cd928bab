// A page while it is read in a worker, and when it has come to the main thread.
import type { BytePath } from '../domain/path.ts';
import type { Page } from '../engine/ports/disk.ts';
import type { FoundPage, Work } from './protocol.ts';

export interface OpenPage {
  below(name: BytePath, rule: number): void;
  foreign(name: BytePath): void;
  /** `end`: where its records end; `upTo`: the last name that it speaks of, when the piece goes on. */
  finish(end: number, bytesRead: number, upTo?: BytePath): FoundPage;
}

export function startPage(piece: number, bytesReadBefore: number): OpenPage {
  const names: BytePath[] = [];
  const rules: number[] = [];
  const foreign: BytePath[] = [];
  return {
    below: (name, rule) => {
      names.push(name);
      rules.push(rule);
    },
    foreign: (name) => void foreign.push(name),
    finish: (end, bytesRead, upTo) => ({
      piece,
      end,
      bytesRead: bytesRead - bytesReadBefore,
      ...(names.length > 0 && { below: { names, rules } }),
      ...(foreign.length > 0 && { foreign }),
      ...(upTo !== undefined && { upTo }),
    }),
  };
}

/** The pages of an answer to `work`; their records share the answer's memory. */
export function pagesOf(work: readonly Work[], found: readonly FoundPage[], records: ArrayBuffer): Page[] {
  let start = 0;
  return found.flatMap(({ piece, end, failed = 0, bytesRead, upTo }) => {
    const asked = work[piece];
    if (asked === undefined) return [];
    const run = Buffer.from(records, start, end - start);
    start = end;
    return [{ dir: asked.dir, extent: extentOf(asked, upTo), records: run, failed, bytesRead }];
  });
}

function extentOf(work: Work, upTo: BytePath | undefined): Page['extent'] {
  switch (work.kind) {
    case 'names':
      return { kind: 'names', names: work.names };
    case 'list':
      return { kind: 'range', after: undefined, upTo };
    case 'range':
      return { kind: 'range', after: work.after, upTo: upTo ?? work.upTo };
  }
}
