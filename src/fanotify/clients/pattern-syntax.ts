// The syntax of fnmatch(3) patterns with GNU's FNM_EXTMATCH, as a tree.

export type Node =
  | { readonly kind: 'literal'; readonly char: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | { readonly kind: 'set'; readonly has: (char: string) => boolean }
  | { readonly kind: 'group'; readonly operator: Operator; readonly alternatives: readonly (readonly Node[])[] };

/** `?(..)` at most one, `*(..)` any number, `+(..)` at least one, `@(..)` exactly one, `!(..)` anything but one. */
export type Operator = '?' | '*' | '+' | '@' | '!';

/** One character per byte. What is not closed stands for itself, as in the shell. */
export function parsePattern(pattern: string): readonly Node[] {
  return parseUntil(pattern, 0, '').nodes;
}

interface Parsed {
  readonly nodes: readonly Node[];
  /** Behind the last character that belongs to it. */
  readonly end: number;
}

/** `ends`: the characters that end the sequence, '' at the top. */
function parseUntil(pattern: string, start: number, ends: string): Parsed {
  const nodes: Node[] = [];
  let at = start;
  while (at < pattern.length && !ends.includes(pattern.charAt(at))) {
    const { node, end } = parseNode(pattern, at);
    // `**` is `*`: one less to try.
    if (node.kind !== 'star' || nodes.at(-1)?.kind !== 'star') nodes.push(node);
    at = end;
  }
  return { nodes, end: at };
}

function parseNode(pattern: string, at: number): { readonly node: Node; readonly end: number } {
  const char = pattern.charAt(at);
  const group = pattern.charAt(at + 1) === '(' && isOperator(char) ? parseGroup(pattern, at, char) : undefined;
  if (group !== undefined) return group;
  if (char === '*') return { node: { kind: 'star' }, end: at + 1 };
  if (char === '?') return { node: { kind: 'any' }, end: at + 1 };
  const set = char === '[' ? parseSet(pattern, at + 1) : undefined;
  if (set !== undefined) return set;
  const isEscape = char === '\\' && at + 1 < pattern.length;
  const literal = isEscape ? pattern.charAt(at + 1) : char;
  return { node: { kind: 'literal', char: literal }, end: at + (isEscape ? 2 : 1) };
}

function isOperator(char: string): char is Operator {
  return '?*+@!'.includes(char);
}

function parseGroup(pattern: string, at: number, operator: Operator): { node: Node; end: number } | undefined {
  if (!isClosed(pattern, at + 2)) return undefined;
  const alternatives: (readonly Node[])[] = [];
  for (let next = at + 2; ; ) {
    const { nodes, end } = parseUntil(pattern, next, '|)');
    alternatives.push(nodes);
    if (pattern.charAt(end) !== '|') return { node: { kind: 'group', operator, alternatives }, end: end + 1 };
    next = end + 1;
  }
}

/** Whether the parenthesis that is open at `start` is closed by one that is neither escaped nor in brackets. */
function isClosed(pattern: string, start: number): boolean {
  let depth = 1;
  for (let at = start; at < pattern.length; ) {
    const char = pattern.charAt(at);
    const set = char === '[' ? parseSet(pattern, at + 1) : undefined;
    if (set !== undefined) {
      at = set.end;
      continue;
    }
    if (char === '(' && isOperator(pattern.charAt(at - 1) || ' ')) depth += 1;
    if (char === ')') depth -= 1;
    if (depth === 0) return true;
    at += char === '\\' ? 2 : 1;
  }
  return false;
}

/** A bracket expression behind its `[`; undefined when it is not closed. regex(7), in the C locale. */
function parseSet(pattern: string, start: number): { node: Node; end: number } | undefined {
  const isNegated = '!^'.includes(pattern.charAt(start) || ' ');
  const first = isNegated ? start + 1 : start;
  const tests: ((char: string) => boolean)[] = [];
  for (let at = first; at < pattern.length; ) {
    if (pattern.charAt(at) === ']' && at > first) {
      const has = (char: string): boolean => tests.some((test) => test(char)) !== isNegated;
      return { node: { kind: 'set', has }, end: at + 1 };
    }
    const member = parseClass(pattern, at) ?? parseRange(pattern, at);
    if (member === undefined) return undefined;
    tests.push(member.test);
    at = member.end;
  }
  return undefined;
}

interface Member {
  readonly test: (char: string) => boolean;
  readonly end: number;
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the control characters.
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** `[:alpha:]`; an unknown class has no members. */
function parseClass(pattern: string, at: number): Member | undefined {
  if (!pattern.startsWith('[:', at)) return undefined;
  const close = pattern.indexOf(':]', at + 2);
  const name = close === -1 ? undefined : pattern.slice(at + 2, close);
  if (name === undefined || !/^[a-z]+$/.test(name)) return undefined;
  const members = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  return { test: (char) => members?.test(char) ?? false, end: close + 2 };
}

function parseRange(pattern: string, at: number): Member | undefined {
  const low = parseElement(pattern, at);
  if (low === undefined) return undefined;
  const isRange = pattern.charAt(low.end) === '-' && !['', ']'].includes(pattern.charAt(low.end + 1));
  const high = isRange ? parseElement(pattern, low.end + 1) : low;
  return high === undefined ? undefined : { test: (char) => char >= low.char && char <= high.char, end: high.end };
}

/** One byte: as it is, escaped, or as `[.x.]` or `[=x=]`. */
function parseElement(pattern: string, at: number): { readonly char: string; readonly end: number } | undefined {
  const named = /^\[([.=])(.)\1\]/s.exec(pattern.slice(at, at + 5));
  if (named?.[2] !== undefined) return { char: named[2], end: at + 5 };
  const start = pattern.charAt(at) === '\\' ? at + 1 : at;
  return start < pattern.length ? { char: pattern.charAt(start), end: start + 1 } : undefined;
}
