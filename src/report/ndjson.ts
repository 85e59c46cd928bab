// `--format ndjson`: one record per line as it is found; the last line is the check's summary.
import type { Report } from './format.ts';
import { totalsJson } from './json.ts';
import { jsonText } from './json-text.ts';
import { driftJson, incompleteJson, RECORD_VERSION } from './record.ts';
import { timeTextMs } from './time-text.ts';

export function ndjsonReport(): Report {
  return {
    begin: () => '',
    drift: (record) => `${jsonText(driftJson(record))}\n`,
    incomplete: (item) => `${jsonText({ v: RECORD_VERSION, type: 'incomplete', ...incompleteJson(item) })}\n`,
    end: (summary) => {
      const { startMs, generation } = summary;
      const head = { v: RECORD_VERSION, type: 'check', start: timeTextMs(startMs), generation };
      return `${jsonText({ ...head, ...totalsJson(summary) })}\n`;
    },
  };
}
