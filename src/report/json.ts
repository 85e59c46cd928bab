// `--format json`: one document (design: Records). Drift is written as it is found; the few things that could not be read
// are kept for the end, because an object's lists cannot be written side by side.
import type { CheckSummary, QuickTrust, Report } from './format.ts';
import { type JsonObject, jsonText } from './json-text.ts';
import { coverageJson, driftJson, incompleteJson, RECORD_VERSION } from './record.ts';
import { timeTextMs } from './time-text.ts';

export function jsonReport(): Report {
  const unreadable: JsonObject[] = [];
  let separator = '\n';
  return {
    begin: ({ startMs, generation }) => {
      const head = jsonText({ v: RECORD_VERSION, type: 'check', start: timeTextMs(startMs), generation });
      return `${head.slice(0, -1)},"drift":[`;
    },
    drift: (record) => {
      const text = separator + jsonText(driftJson(record));
      separator = ',\n';
      return text;
    },
    incomplete: (item) => {
      unreadable.push(incompleteJson(item));
      return '';
    },
    end: (summary) => `],\n${jsonText({ unreadable, ...totalsJson(summary) }).slice(1)}\n`,
  };
}

function trustJson({ trusted, by, sinceMs }: QuickTrust): JsonObject {
  return { trusted, by, since: timeTextMs(sinceMs) };
}

/** What is known at the end of a check; shared with the last line of ndjson. */
export function totalsJson(summary: CheckSummary): JsonObject {
  const { entries, bytes, added, removed, changed, moved, incomplete, exitCode, quick } = summary;
  return {
    end: timeTextMs(summary.endMs),
    entries,
    bytes,
    added,
    removed,
    changed,
    moved,
    incomplete,
    exitCode,
    quick: quick === undefined ? null : trustJson(quick),
    report: summary.reportId,
    coverage: summary.coverage.map(coverageJson),
  };
}
