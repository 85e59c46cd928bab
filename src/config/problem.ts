// What is wrong with a configuration: where, and in words.
import { AppError } from '../domain/errors.ts';
import { escapeText } from '../domain/escape.ts';

/** Keys and list positions from the top, e.g. ['rules', 0, 'paths']. */
export type KeyPath = readonly PropertyKey[];

export interface Problem {
  /** From 1. */
  readonly line: number;
  /** Empty when the text itself is wrong. */
  readonly path: KeyPath;
  readonly message: string;
}

/** All problems as one error, `file:line: key.path: what is wrong`, in the order of the lines. */
export function configError(file: string, problems: readonly Problem[]): AppError {
  const lines = problems.toSorted((a, b) => a.line - b.line).map((problem) => problemText(file, problem));
  return new AppError('CONFIG', lines.join('\n'), {
    hint: 'correct the file and try `driftline config check`; `driftline config schema` describes every key',
  });
}

/** `file:line: key.path: what is wrong`, escaped. */
export function problemText(file: string, { line, path, message }: Problem): string {
  const where = path.length === 0 ? '' : `${escapeText(keyPathText(path))}: `;
  return `${escapeText(file)}:${line}: ${where}${escapeText(message)}`;
}

/** `rules[0].paths[2]`. */
function keyPathText(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
