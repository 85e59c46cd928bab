// Reports for people: sorted by path, so that two of them can be compared. A check finds things in the order in which its workers end.
import { type BytePath, comparePaths } from '../domain/path.ts';
import type { Report } from './format.ts';

/** What is held back at most; beyond it the rest comes as it is found. */
const HELD_MAX = 100_000;

/** The same report with its drift and what could not be read together at the end, or in parts when there is much. */
export function sortedReport(report: Report): Report {
  let held: { readonly path: BytePath; readonly text: string }[] = [];
  let isOverfull = false;
  const take = (): string => {
    const texts = held.sort((a, b) => comparePaths(a.path, b.path)).map(({ text }) => text);
    held = [];
    return texts.join('');
  };
  const hold = (path: BytePath, text: string): string => {
    if (isOverfull) return text;
    held.push({ path, text });
    isOverfull = held.length > HELD_MAX;
    return isOverfull ? take() : '';
  };
  return {
    begin: report.begin,
    drift: (record) => hold(record.path, report.drift(record)),
    incomplete: (item) => hold(item.path, report.incomplete(item)),
    rest: take,
    end: (summary) => take() + report.end(summary),
  };
}
