// Paths from the command line. Node decodes arguments as UTF-8 and loses other bytes; the kernel still has them.
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../domain/errors.ts';
import { type BytePath, pathFromLatin1, pathFromText } from '../domain/path.ts';

/** The argument as absolute bytes, resolved against `startDir`, without `.`, `..`, doubled or trailing slashes. */
export function argumentPath(argument: string, startDir: BytePath): BytePath {
  if (argument === '') throw new AppError('USAGE', 'an empty path names nothing');
  const bytes = argument.includes('\ufffd') ? rawArgument(argument) : pathFromText(argument);
  // posix.resolve only looks at slashes and dots: it is as right for bytes as for text.
  return pathFromLatin1(posix.resolve(startDir, bytes));
}

function rawArgument(argument: string): BytePath {
  const all = readFileSync('/proc/self/cmdline').toString('latin1').split('\0');
  const raw = all.find((candidate) => Buffer.from(candidate, 'latin1').toString('utf8') === argument);
  return raw === undefined ? pathFromText(argument) : pathFromLatin1(raw);
}
