// The only writer to standard output and standard error: data goes to the one, everything else to the other.
import { writeSync } from 'node:fs';
import { AppError, errorCode, errorMessage, SystemError } from '../domain/errors.ts';
import { escapeText } from '../domain/escape.ts';

export interface Output {
  /** Data, complete lines; text as UTF-8. */
  data(text: string | Buffer): void;
  /** A line for the person who started the command; not when --quiet. */
  note(line: string): void;
  /** A line that --quiet does not silence. */
  warn(line: string): void;
  readonly colour: boolean;
  /** How progress is shown on standard error: lines of JSON when asked for, a bar only on a terminal. */
  readonly progress: 'bar' | 'json' | 'none';
  readonly quiet: boolean;
}

export interface OutputOptions {
  readonly quiet: boolean;
  readonly colour: boolean;
  /** `auto`: a bar where somebody can see it. */
  readonly progress: 'auto' | 'json' | 'none';
}

export function openOutput(options: OutputOptions): Output {
  const tty = process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';
  return {
    data: (text) => writeAll(1, text),
    note: (line) => {
      if (!options.quiet) writeAll(2, `${line}\n`);
    },
    warn: (line) => writeAll(2, `${line}\n`),
    colour: options.colour && tty && !process.env['NO_COLOR'],
    progress: progressOf(options),
    quiet: options.quiet,
  };
}

function progressOf({ progress, quiet }: OutputOptions): Output['progress'] {
  if (progress === 'json') return 'json';
  return progress === 'auto' && !quiet && process.stderr.isTTY === true ? 'bar' : 'none';
}

/**
 * Synchronous, so that nothing is lost at exit; whoever reads slowly slows us down. Data that nobody will read ends the command
 * as SIGPIPE would; what is said beside it is no reason to, and never to change the exit status.
 */
function writeAll(fd: 1 | 2, text: string | Buffer): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') Atomics.wait(PAUSE, 0, 0, 5);
      else if (errorCode(error) !== 'EPIPE') throw error;
      else if (fd === 2) return;
      else process.exit(141);
    }
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** `driftline: what failed`, and what to do about it on the next line. */
export function errorLines(error: unknown): string {
  const hint = error instanceof AppError || error instanceof SystemError ? error.hint : undefined;
  const lines = errorMessage(error)
    .split('\n')
    .map((line) => `driftline: ${escapeText(line)}`);
  if (hint !== undefined) lines.push(`  hint: ${escapeText(hint)}`);
  if (process.env['DRIFTLINE_DEBUG'] && error instanceof Error)
    lines.push(String(error.stack), String(error.cause ?? ''));
  return lines.join('\n');
}
