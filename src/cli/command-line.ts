// Arguments to command, errors to exit status.
import { readFileSync } from 'node:fs';
import { pathFromText } from '../domain/path.ts';
import type { Context } from './context.ts';
import { exitCodeOf } from './exit-codes.ts';
import { errorLines, openOutput } from './output.ts';
import { type GlobalOptions, runProgram } from './program.ts';

const startDir = pathFromText(process.cwd());
// Nothing is ever read from the directory in which the command was called (config/load.ts says why).
process.chdir('/');

function makeContext({ config, baseline, color, quiet, progress }: GlobalOptions): Context {
  const output = openOutput({ quiet: quiet ?? false, colour: color, progress: progress || 'none' });
  return { startDir, output, config, baseline };
}

function version(): string {
  const text: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof text === 'object' && text !== null && 'version' in text ? String(text.version) : '?';
}

/** Runs the command; resolves to the exit status. What went wrong has been said on standard error then. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  try {
    return await runProgram(words, version(), makeContext);
  } catch (error) {
    process.stderr.write(`${errorLines(error)}\n`);
    return exitCodeOf(error);
  }
}
