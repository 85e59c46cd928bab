// Progress for a person: a bar, rates, the time left, and below it what the workers are at.

import type { MeteredFile, MeteredPath } from '../disk/meter.ts';
import { escapePath } from '../domain/escape.ts';
import { byteText, countText, durationText } from '../report/quantity.ts';
import type { ProgressState } from './progress.ts';
import { leftMs, rateOf, shareOf } from './progress-share.ts';

const BAR_CELLS = 24;
/** Files and directories that are shown at most. */
const READING_MAX = 8;
/** Of a path so much is kept, before the line is cut. */
const PATH_MIN = 12;

/** Lines that are shorter than `width`, with every control character of a path escaped. */
export function progressLines(state: ProgressState, width: number): string[] {
  const reading = state.reading.slice(0, READING_MAX).map((at) => readingLine(at, width));
  return [mainLine(state), ...reading].map((line) => line.slice(0, width - 1));
}

function mainLine(state: ProgressState): string {
  const { command, entries, bytes, elapsedMs } = state;
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const rate = `${countText(Math.round(entries / seconds))}/s  ${byteText(rateOf(state))}/s`;
  const amount = `${countText(entries)} ${entries === 1 ? 'entry' : 'entries'}  ${byteText(bytes)}  ${rate}`;
  const share = shareOf(state);
  if (share === undefined) return `${command}  ${amount}`;
  const bar = '#'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '.');
  const left = leftMs(state);
  return `${command} [${bar}] ${percent(share)}  ${amount}  ${left === undefined ? '?' : durationText(left)} left`;
}

function readingLine(at: MeteredPath, width: number): string {
  const text = at.kind === 'file' ? `  ${fileShare(at)}  ` : '  ';
  return text + tail(escapePath(at.path), Math.max(width - text.length - 1, PATH_MIN));
}

function fileShare({ bytesRead, sizeBytes }: MeteredFile): string {
  const share = sizeBytes > 0 ? percent(Math.min(bytesRead / sizeBytes, 1)) : '   ? %';
  return `${share} of ${byteText(sizeBytes)}`;
}

function percent(share: number): string {
  return `${String(Math.floor(share * 100)).padStart(3)} %`;
}

function tail(text: string, room: number): string {
  return text.length <= room ? text : `...${text.slice(text.length - room + 3)}`;
}
