// How far a walk is, on standard error: a bar for a person, or lines of JSON for a program. Looked at by a timer, so that it costs the
// walk nothing and goes on while one file is read for hours.

import type { MeteredPath, MeterReading } from '../disk/meter.ts';
import type { Portion } from '../engine/ports/disk.ts';
import type { Output } from './output.ts';
import { progressLines } from './progress-bar.ts';
import { progressRecord } from './progress-json.ts';
import type { Done, Expected } from './progress-share.ts';

export interface Progress {
  portion(portion: Portion): void;
  /** Makes room for other output. */
  wipe(): void;
  /** The last that is said; idempotent. */
  done(): void;
}

export interface ProgressSource {
  /** What workers have read and are reading. */
  meters(): readonly MeterReading[];
  /** Undefined as long as nobody knows. */
  expected(): Expected | undefined;
}

export interface ProgressState extends Done {
  readonly command: string;
  /** What each worker is at, files that take a while first. */
  readonly reading: readonly MeteredPath[];
}

const BAR_EVERY_MS = 200;
const JSON_EVERY_MS = 1000;
const SILENT: Progress = { portion() {}, wipe() {}, done() {} };

export function openProgress(output: Output, command: string, source: ProgressSource): Progress {
  if (output.progress === 'none') return SILENT;
  const startMs = performance.now();
  let entries = 0;
  let isDone = false;
  const state = (): ProgressState => {
    const meters = source.meters();
    return {
      command,
      elapsedMs: performance.now() - startMs,
      entries,
      bytes: meters.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
      expected: source.expected(),
      reading: filesFirst(meters.flatMap(({ at }) => at ?? [])),
    };
  };
  const { show, wipe, last } = output.progress === 'json' ? jsonLines(output) : bar();
  const timer = setInterval(() => show(state()), output.progress === 'json' ? JSON_EVERY_MS : BAR_EVERY_MS).unref();
  return {
    portion(portion) {
      entries += portion.entries;
    },
    wipe,
    done() {
      if (isDone) return;
      isDone = true;
      clearInterval(timer);
      last(state());
    },
  };
}

/** Each in the order of the workers, so that what goes on stays where it was. */
function filesFirst(paths: readonly MeteredPath[]): MeteredPath[] {
  return [...paths.filter(({ kind }) => kind === 'file'), ...paths.filter(({ kind }) => kind === 'directory')];
}

interface Display {
  show(state: ProgressState): void;
  wipe(): void;
  last(state: ProgressState): void;
}

function jsonLines(output: Output): Display {
  return {
    show: (state) => output.warn(progressRecord(state, false)),
    wipe() {},
    last: (state) => output.warn(progressRecord(state, true)),
  };
}

/** CSI J wipes to the end of the screen, CSI n A goes up n lines (console_codes(4)). */
function bar(): Display {
  const wipe = (): void => void process.stderr.write('\r\x1b[J');
  return {
    show(state) {
      const lines = progressLines(state, process.stderr.columns ?? 80);
      const up = lines.length > 1 ? `\x1b[${lines.length - 1}A` : '';
      process.stderr.write(`\r\x1b[J${lines.join('\n')}${up}\r`);
    },
    wipe,
    last: wipe,
  };
}
