// One report by name.
import { aideReport } from './aide.ts';
import { ecsReport } from './ecs.ts';
import type { Report, ReportOptions } from './format.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import { ndjsonReport } from './ndjson.ts';
import { sortedReport } from './sorted.ts';
import { textReport } from './text.ts';

export type { CheckSummary, QuickTrust, Report, ReportOptions } from './format.ts';

export const REPORT_FORMATS = ['text', 'json', 'ndjson', 'aide', 'ecs', 'html'] as const;
export type ReportFormatName = (typeof REPORT_FORMATS)[number];

const OPEN: Readonly<Record<ReportFormatName, (options: ReportOptions) => Report>> = {
  text: (options) => sortedReport(textReport(options)),
  json: jsonReport,
  ndjson: ndjsonReport,
  aide: aideReport,
  ecs: ecsReport,
  html: () => sortedReport(htmlReport()),
};

/** A report is used once, from begin to end. */
export function openReport(format: ReportFormatName, options: ReportOptions): Report {
  return OPEN[format](options);
}
