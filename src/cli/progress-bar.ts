// Progress for a person: a bar, rates, the time left, and below it the files that take a while.

import type { MeteredFile } from '../disk/meter.ts';
import { escapePath } from '../domain/escape.ts';
import { byteText, countText, durationText } from '../report/quantity.ts';
import type { ProgressState } from './progress.ts';
import { leftMs, shareOf } from './progress-share.ts';

const BAR_CELLS = 24;
/** Files that are shown at most. */
const FILES_MAX = 8;
/** A path that would have less room is left out. */
const PATH_MIN = 12;

/** Lines that are shorter than `width`, with every control character of a path escaped. */
export function progressLines(state: ProgressState, width: number): string[] {
  const { files, dir } = state;
  const first = mainLine(state);
  const room = width - first.length - 3;
  const where = files.length === 0 && dir !== undefined && room > PATH_MIN ? `  ${tail(escapePath(dir), room)}` : '';
  return [first + where, ...files.slice(0, FILES_MAX).map((file) => fileLine(file, width))].map((line) =>
    line.slice(0, width - 1),
  );
}

function mainLine(state: ProgressState): string {
  const { command, entries, bytes, elapsedMs } = state;
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const rate = `${countText(Math.round(entries / seconds))}/s  ${byteText(bytes / seconds)}/s`;
  const amount = `${countText(entries)} entries  ${byteText(bytes)}  ${rate}`;
  const share = shareOf(state);
  if (share === undefined) return `${command}  ${amount}`;
  const bar = '#'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '.');
  const left = leftMs(state);
  return `${command} [${bar}] ${percent(share)}  ${amount}  ${left === undefined ? '?' : durationText(left)} left`;
}

function fileLine({ path, bytesRead, sizeBytes }: MeteredFile, width: number): string {
  const share = sizeBytes > 0 ? percent(Math.min(bytesRead / sizeBytes, 1)) : '   ? %';
  const text = `  ${share} of ${byteText(sizeBytes)}  `;
  return text + tail(escapePath(path), Math.max(width - text.length - 1, PATH_MIN));
}

function percent(share: number): string {
  return `${String(Math.floor(share * 100)).padStart(3)} %`;
}

function tail(text: string, room: number): string {
  return text.length <= room ? text : `...${text.slice(text.length - room + 3)}`;
}
