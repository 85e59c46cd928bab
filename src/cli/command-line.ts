// Arguments to command, errors to exit status.
import { readFileSync } from 'node:fs';
import { AppError, errorMessage } from '../domain/errors.ts';
import { type BytePath, pathFromText } from '../domain/path.ts';
import type { Context } from './context.ts';
import { exitCodeOf } from './exit-codes.ts';
import { errorLines, openOutput } from './output.ts';
import { type GlobalOptions, runProgram } from './program.ts';

/** Runs the command; resolves to the exit status. What went wrong has been said on standard error then. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  try {
    const startDir = leaveStartDir();
    return await runProgram(words, version(), (options) => contextOf(options, startDir));
  } catch (error) {
    process.stderr.write(`${errorLines(error)}\n`);
    return exitCodeOf(error);
  }
}

/** Nothing is ever read from the directory in which the command was called (config/load.ts says why). */
function leaveStartDir(): BytePath {
  try {
    const startDir = pathFromText(process.cwd());
    process.chdir('/');
    return startDir;
  } catch (cause) {
    const hint = 'cd to a directory that exists';
    throw new AppError('IO', `the current directory cannot be used: ${errorMessage(cause)}`, { hint, cause });
  }
}

function contextOf({ config, baseline, color, quiet, progress }: GlobalOptions, startDir: BytePath): Context {
  const output = openOutput({ quiet: quiet ?? false, colour: color, progress: progress || 'none' });
  return { startDir, output, config, baseline };
}

function version(): string {
  const text: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof text === 'object' && text !== null && 'version' in text ? String(text.version) : '?';
}
