// The only import of yaml. Configuration text to a plain value that remembers where each key stood, so that every problem
// can name its line. JSON is read by the same parser: it is a subset of YAML 1.2.
import {
  type CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  parseDocument,
  visit,
} from 'yaml';
import { AppError, errorMessage } from '../domain/errors.ts';
import { configError, type KeyPath, type Problem } from './problem.ts';

/** A configuration larger than this is a mistake or an attack. */
export const SOURCE_MAX_BYTES = 1024 * 1024;

/** How often anchors may be used: enough for people, too little to blow a small file up to gigabytes. */
const ALIASES_MAX = 100;

/** The schema needs six. */
const NESTING_MAX = 50;

export interface Source {
  readonly file: string;
  /** Plain objects, arrays and scalars; null when the file says nothing. */
  readonly value: unknown;
  /** The line (from 1) of a key, or of the nearest key above it that the text has. */
  lineOf(path: KeyPath): number;
}

/** Parses YAML or JSON; throws CONFIG with one line per problem. `file` is only used in messages. */
export function parseSource(file: string, text: string): Source {
  if (Buffer.byteLength(text) > SOURCE_MAX_BYTES) {
    throw new AppError('CONFIG', `${file}: is larger than ${SOURCE_MAX_BYTES} bytes`, {
      hint: 'a configuration is a short text',
    });
  }
  const lines = new LineCounter();
  const document = parse(file, text, lines);
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const problems = [...damage(text), ...mistakes(document)];
  const placed = problems.map(({ offset, message }): Problem => ({ line: lineAt(offset), path: [], message }));
  if (placed.length > 0) throw configError(file, placed);
  return {
    file,
    value: plain(file, document),
    lineOf: (path) => lineAt(offsetOf(document, path)),
  };
}

function parse(file: string, text: string, lines: LineCounter): Document.Parsed {
  // First without recursion: deep in the stack, V8 ends the whole process when it has to compile a regular expression.
  if (isDeeperThan(text, NESTING_MAX)) {
    throw new AppError('CONFIG', `${file}: is nested more than ${NESTING_MAX} deep`);
  }
  try {
    // `strict` and `uniqueKeys` are defaults; `error` keeps the library from printing warnings of its own.
    return parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    // The library reports what it finds instead of throwing; this is for what nobody has thought of.
    throw new AppError('CONFIG', `${file}: cannot be parsed: ${errorMessage(error)}`, { cause: error });
  }
}

function isDeeperThan(text: string, limit: number): boolean {
  let level: CST.Token[] = [...new Parser().parse(text)];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap(childrenOf);
  }
  return false;
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((child) => child !== null && child !== undefined));
}

interface Mistake {
  readonly offset: number;
  readonly message: string;
}

/** Bytes that are not UTF-8 have been replaced by the decoder; silently watching another path would be worse than failing. */
function damage(text: string): Mistake[] {
  const offset = text.indexOf('\ufffd');
  return offset < 0 ? [] : [{ offset, message: 'is not valid UTF-8' }];
}

/** Syntax errors, unknown tags, and what YAML allows but a configuration has no use for. */
function mistakes(document: Document.Parsed): Mistake[] {
  const found: Mistake[] = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    offset: pos[0],
    message: sentence(message),
  }));
  if (found.length > 0) return found;
  visit(document, {
    Alias: (_, alias) => {
      const target = alias.resolve(document);
      const offset = alias.range?.[0] ?? 0;
      if (target === undefined) found.push({ offset, message: `alias *${alias.source} names no anchor` });
      else if (isAround(target, offset)) found.push({ offset, message: `alias *${alias.source} contains itself` });
    },
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value !== null) return;
      found.push({ offset: rangeStart(key) ?? 0, message: 'a key must be a word' });
    },
  });
  return found;
}

function isAround(target: Node, offset: number): boolean {
  const [start, , end] = target.range ?? [0, 0, 0];
  return isCollection(target) && start <= offset && offset < end;
}

function sentence(message: string): string {
  const first = (message.split('\n')[0] ?? '').replace(/[.:]$/, '');
  return first.charAt(0).toLowerCase() + first.slice(1);
}

function plain(file: string, document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    throw new AppError('CONFIG', `${file}: ${sentence(errorMessage(error))}`, {
      hint: `anchors may be used ${ALIASES_MAX} times`,
      cause: error,
    });
  }
}

function offsetOf(document: Document.Parsed, path: KeyPath): number {
  let node: unknown = document.contents;
  let offset = rangeStart(node) ?? 0;
  for (const key of path) {
    const step = stepInto(document, node, key);
    if (step === undefined) return offset;
    offset = rangeStart(step.at) ?? offset;
    node = step.value;
  }
  return offset;
}

function stepInto(
  document: Document.Parsed,
  parent: unknown,
  key: PropertyKey,
): { at: unknown; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
    return pair === undefined ? undefined : { at: pair.key, value: pair.value };
  }
  const item = isSeq(node) ? node.items[Number(key)] : undefined;
  return item === undefined ? undefined : { at: item, value: item };
}

function rangeStart(node: unknown): number | undefined {
  return isScalar(node) || isCollection(node) || isAlias(node) ? node.range?.[0] : undefined;
}
