// What a watch prints: drift on standard output, as text or as records; everything else on standard error.
import { escapePath } from '../domain/escape.ts';
import type { Reporter } from '../engine/ports/reporter.ts';
import { recordWriter } from '../report/record-writer.ts';
import { driftLine } from '../report/text.ts';
import { systemClock } from './clock.ts';
import type { Output } from './output.ts';

export function openReporter(output: Output, json: boolean): Reporter {
  return {
    drift: (record) =>
      output.data(json ? `${recordWriter.drift(record)}\n` : `${driftLine(record, { colour: output.colour })}\n`),
    resolved: ({ id, path }) =>
      output.data(
        json
          ? `${recordWriter.resolved({ id, path, timeNs: systemClock.nowNs() })}\n`
          : `RESOLVED  ${escapePath(path)}  as in the baseline again\n`,
      ),
    problem: (message) => output.warn(`driftline: ${message}`),
    notice: (message) => output.note(`driftline: ${message}`),
  };
}
