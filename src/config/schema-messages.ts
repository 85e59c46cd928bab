// The words for what does not fit the schema.
import type { KeyPath } from './problem.ts';
import { didYouMean } from './suggest.ts';

/** What zod reports, as far as it is used here. */
export interface Issue {
  readonly code: string;
  readonly path: KeyPath;
  readonly message: string;
  readonly input?: unknown;
  readonly expected?: string;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  /** `invalid_union`: what each branch had to say. `invalid_key`: what is wrong with the key. */
  readonly errors?: readonly (readonly Issue[])[];
  readonly issues?: readonly Issue[];
}

interface Mistake {
  readonly path: KeyPath;
  readonly message: string;
}

/** One mistake per wrong key or value. `knownKeys` maps a place (`rules.*`) to the keys it may have. */
export function mistakesOf(issues: readonly Issue[], knownKeys: ReadonlyMap<string, readonly string[]>): Mistake[] {
  return issues.flatMap((issue) => {
    const inner = insideUnion(issue);
    if (inner !== undefined) return mistakesOf(inner, knownKeys);
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: messageOf(issue) }];
    const known = knownKeys.get(placeOf(issue.path)) ?? [];
    return (issue.keys ?? []).map((key) => ({
      path: [...issue.path, key],
      message: `is not a key that exists here${didYouMean(key, known)}`,
    }));
  });
}

/** The issues of the branch that fits the value's kind, when one does: those say more than "no branch fits". */
function insideUnion(issue: Issue): readonly Issue[] | undefined {
  const branch = issue.errors?.find((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom'),
  );
  return branch?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** `rules.*` for ['rules', 3]; the names of hooks are free, too. */
function placeOf(path: KeyPath): string {
  return path.map((key, depth) => (depth === 1 && path[0] !== 'watch' ? '*' : String(key))).join('.');
}

function messageOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return isOwnMessage(issue.message)
        ? issue.message
        : `must be ${kindName(issue.expected)}, not ${kindOf(issue.input)}`;
    case 'invalid_value':
      return `must be ${choice(issue.values)}, not ${shown(issue.input)}${suggestion(issue)}`;
    case 'invalid_key':
      return `the name ${issue.issues?.[0]?.message ?? 'is not allowed'}`;
    default:
      return isOwnMessage(issue.message) ? issue.message : `is wrong: ${issue.message.toLowerCase()}`;
  }
}

function choice(values: readonly unknown[] = []): string {
  return values
    .map(String)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
}

/** Messages of schema.ts start in lower case, those of the library do not. */
function isOwnMessage(message: string): boolean {
  return /^[a-z'`]/.test(message);
}

function suggestion({ input, values }: Issue): string {
  return typeof input === 'string' ? didYouMean(input, (values ?? []).map(String)) : '';
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of names',
};

function kindName(expected: string | undefined): string {
  return KIND_NAMES[expected ?? ''] ?? String(expected);
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  return KIND_NAMES[Array.isArray(value) ? 'array' : typeof value] ?? typeof value;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 40)}'` : value === undefined ? 'left out' : kindOf(value);
}
