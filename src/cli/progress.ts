// One line on standard error that shows how far a walk is.
import { escapePath } from '../domain/escape.ts';
import type { Portion } from '../engine/ports/disk.ts';
import { byteText, countText, durationText } from '../report/quantity.ts';
import type { Output } from './output.ts';

export interface Progress {
  portion(portion: Portion): void;
  /** Wipes the line. */
  done(): void;
}

const EVERY_MS = 100;
const BAR_CELLS = 24;

/** `expected`: how many entries there probably are; undefined when nobody knows. */
export function openProgress(output: Output, verb: string, expected: number | undefined): Progress {
  if (!output.progress) return { portion() {}, done() {} };
  const startMs = Date.now();
  let [entries, bytes, shownMs] = [0, 0, startMs];
  return {
    portion(portion) {
      entries += portion.entries;
      bytes += portion.bytesRead;
      const nowMs = Date.now();
      if (nowMs - shownMs < EVERY_MS) return;
      shownMs = nowMs;
      const width = process.stderr.columns ?? 80;
      const line = progressLine(verb, { entries, bytes, expected, elapsedMs: nowMs - startMs });
      const room = width - line.length - 3;
      const where = room > 12 ? `  ${tail(escapePath(portion.dir), room)}` : '';
      process.stderr.write(`\r\x1b[K${(line + where).slice(0, width - 1)}`);
    },
    done: () => process.stderr.write('\r\x1b[K'),
  };
}

export interface ProgressState {
  readonly entries: number;
  readonly bytes: number;
  readonly expected: number | undefined;
  readonly elapsedMs: number;
}

export function progressLine(verb: string, { entries, bytes, expected, elapsedMs }: ProgressState): string {
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const rate = `${countText(Math.round(entries / seconds))}/s  ${byteText(bytes / seconds)}/s`;
  if (expected === undefined || expected === 0) {
    return `${verb}  ${countText(entries)} entries  ${byteText(bytes)}  ${rate}`;
  }
  const share = Math.min(entries / expected, 1);
  const bar = '#'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '.');
  const left = share > 0 ? durationText((elapsedMs / share) * (1 - share)) : '?';
  return `${verb} [${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${countText(entries)} entries  ${rate}  ${left} left`;
}

function tail(text: string, room: number): string {
  return text.length <= room ? text : `...${text.slice(text.length - room + 3)}`;
}
