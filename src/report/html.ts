// `--format html`: one static file without scripts, links or anything from elsewhere; every value is escaped twice, for the
// reader (escape.ts) and for HTML.
import type { DriftRecord } from '../domain/drift.ts';
import { incompleteText } from '../domain/entry.ts';
import { escapePath, escapeText } from '../domain/escape.ts';
import { actorsText } from './actor-text.ts';
import { attributeChanges } from './attribute-text.ts';
import { coverageLine } from './coverage-text.ts';
import type { CheckSummary, Report } from './format.ts';
import { summaryText } from './text.ts';
import { timeTextMs } from './time-text.ts';

export function htmlReport(): Report {
  return {
    begin: ({ startMs, generation }) => `${HEAD}<h1>driftline check</h1>
<p>${escapeHtml(timeTextMs(startMs))}, baseline generation ${generation}</p>
<table>
<thead><tr><th>kind<th>severity<th>path<th>rule<th>what<th>by</tr></thead>
<tbody>
`,
    drift: (record) => `${driftRow(record)}\n`,
    incomplete: ({ path, errno }) =>
      `${row('unreadable', ['unreadable', '', code(escapePath(path)), '', escapeHtml(incompleteText(errno)), ''])}\n`,
    end: (summary) => `</tbody>\n</table>\n${summaryBlock(summary)}</body>\n</html>\n`,
  };
}

// The summary is known last and shown first.
const STYLE = `body{display:flex;flex-direction:column;font:15px/1.5 system-ui,sans-serif;margin:2em;color:#1b1b1b;background:#fff}
h1,h1+p{order:-2;margin:0}#summary{order:-1;margin:1em 0;padding:1em;background:#f2f2f2;white-space:pre-wrap}
table{border-collapse:collapse}th,td{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}
code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
.added td:first-child{color:#176b2c}.removed td:first-child,.unreadable td:first-child{color:#a4161a}
.changed td:first-child{color:#8a5a00}.moved td:first-child{color:#0b5c7a}
@media print{body{margin:0}thead{display:table-header-group}tr{break-inside:avoid}}`;

const HEAD = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>driftline check</title>
<style>${STYLE}</style>
</head>
<body>
`;

function driftRow(record: DriftRecord): string {
  const { kind, severity, path, from, rule, changed, before, after } = record;
  const name =
    from === undefined ? code(escapePath(path)) : `${code(escapePath(from))} &rarr; ${code(escapePath(path))}`;
  const changes = attributeChanges(changed, before, after).map(
    (change) => `${escapeHtml(change.name)} ${code(change.before)} &rarr; ${code(change.after)}`,
  );
  const actor = actorsText(record.actors) ?? '';
  return row(kind, [kind, severity, name, escapeHtml(escapeText(rule)), changes.join('<br>'), escapeHtml(actor)]);
}

/** Cells are HTML already. */
function row(kind: DriftRecord['kind'] | 'unreadable', cells: readonly string[]): string {
  return `<tr class="${kind}">${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function summaryBlock(summary: CheckSummary): string {
  const coverage = summary.coverage.map(coverageLine);
  return `<div id="summary">${escapeHtml([summaryText(summary), ...coverage].join('\n'))}</div>\n`;
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');
}
