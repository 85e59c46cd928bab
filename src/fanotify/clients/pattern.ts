// Wildcards over whole byte strings, as fnmatch(3) with FNM_EXTMATCH and nothing else understands them: `*`, `?` and
// `[...]` match `/` and a leading dot too. picomatch (domain/glob.ts) does not serve here: its `*` stops at a slash, and
// its regular expressions give `!(...)` only nearly and may take exponential time, while patterns come from other
// processes. This matcher follows sets of positions: time is polynomial whatever the pattern.
import { AppError } from '../../domain/errors.ts';
import { type Node, parsePattern } from './pattern-syntax.ts';

/** Whether all of a byte string (one character per byte) matches. */
export type Wildcard = (text: string) => boolean;

/** Longer than any that is meant. */
const PATTERN_BYTES_MAX = 4096;
/** Each costs time up to the square of the text's length. */
const GROUPS_MAX = 32;

/**
 * Compiles a pattern of one character per byte. `?(a|b)`, `*(a|b)`, `+(a|b)`, `@(a|b)`, `!(a|b)` are the extended forms,
 * `[[:alpha:]]`, `[!a-z]` sets of bytes (C locale), a backslash takes the next byte literally. Throws AppError USAGE for a
 * pattern of more than 4096 bytes or 32 groups.
 */
export function compileWildcard(pattern: string): Wildcard {
  if (pattern.length > PATTERN_BYTES_MAX) throw new AppError('USAGE', 'a pattern is longer than 4096 bytes');
  const nodes = parsePattern(pattern);
  if (countGroups(nodes) > GROUPS_MAX) throw new AppError('USAGE', 'a pattern has more than 32 groups');
  if (nodes.some(({ kind }) => kind === 'group')) return (text) => new Match(text).accepts(nodes);
  return (text) => matchPlain(nodes, text);
}

function countGroups(nodes: readonly Node[]): number {
  let count = 0;
  for (const node of nodes) {
    if (node.kind === 'group') count += 1 + countGroups(node.alternatives.flat());
  }
  return count;
}

/** Without groups only the latest star ever has to be tried again. */
function matchPlain(nodes: readonly Node[], text: string): boolean {
  let [node, at, starNode, starAt] = [0, 0, -1, 0];
  while (at < text.length) {
    const current = nodes[node];
    if (current?.kind === 'star') {
      starNode = node;
      starAt = at;
      node += 1;
    } else if (current !== undefined && matchesOne(current, text.charAt(at))) {
      node += 1;
      at += 1;
    } else if (starNode !== -1) {
      starAt += 1;
      at = starAt;
      node = starNode + 1;
    } else {
      return false;
    }
  }
  while (nodes[node]?.kind === 'star') node += 1;
  return node === nodes.length;
}

function matchesOne(node: Node, char: string): boolean {
  switch (node.kind) {
    case 'literal':
      return node.char === char;
    case 'any':
      return true;
    case 'set':
      return node.has(char);
    case 'star':
    case 'group':
      return false;
  }
}

/** Positions in the text, ascending. */
type Positions = readonly number[];

type Group = Extract<Node, { readonly kind: 'group' }>;

/** One text against one tree; what a group reaches from a position is found out once. */
class Match {
  readonly #text: string;
  readonly #reached = new Map<Group, Map<number, Positions>>();

  constructor(text: string) {
    this.#text = text;
  }

  accepts(nodes: readonly Node[]): boolean {
    return this.#run(nodes, [0]).includes(this.#text.length);
  }

  #run(nodes: readonly Node[], starts: Positions): Positions {
    let positions = starts;
    for (const node of nodes) {
      if (positions.length === 0) return positions;
      positions = this.#step(node, positions);
    }
    return positions;
  }

  #step(node: Node, starts: Positions): Positions {
    if (node.kind === 'star') return this.#from(starts[0] ?? 0);
    if (node.kind === 'group') return union(starts.map((start) => this.#group(node, start)));
    const text = this.#text;
    return starts.flatMap((at) => (at < text.length && matchesOne(node, text.charAt(at)) ? at + 1 : []));
  }

  /** All positions from here to the end. */
  #from(start: number): Positions {
    return Array.from({ length: this.#text.length - start + 1 }, (_, index) => start + index);
  }

  #group(group: Group, start: number): Positions {
    let known = this.#reached.get(group);
    if (known === undefined) {
      known = new Map();
      this.#reached.set(group, known);
    }
    let reached = known.get(start);
    if (reached === undefined) {
      reached = this.#reach(group, start);
      known.set(start, reached);
    }
    return reached;
  }

  #reach(group: Group, start: number): Positions {
    switch (group.operator) {
      case '@':
        return this.#once(group, [start]);
      case '?':
        return union([[start], this.#once(group, [start])]);
      case '+':
        return this.#repeat(group, this.#once(group, [start]));
      case '*':
        return this.#repeat(group, [start]);
      case '!': {
        const once = new Set(this.#once(group, [start]));
        return this.#from(start).filter((at) => !once.has(at));
      }
    }
  }

  #once(group: Group, starts: Positions): Positions {
    return union(group.alternatives.map((nodes) => this.#run(nodes, starts)));
  }

  #repeat(group: Group, starts: Positions): Positions {
    const seen = new Set(starts);
    for (let fresh = starts; fresh.length > 0; ) {
      fresh = this.#once(group, fresh).filter((at) => !seen.has(at));
      for (const at of fresh) seen.add(at);
    }
    return ascending(seen);
  }
}

function union(sets: readonly Positions[]): Positions {
  return sets.length === 1 ? (sets[0] ?? []) : ascending(new Set(sets.flat()));
}

function ascending(positions: ReadonlySet<number>): Positions {
  return [...positions].sort((a, b) => a - b);
}
