// What scan.mjs measured, as Markdown tables and as one SVG.
import { barPanel, linePanel, svgOf } from './plot.mjs';

const number = (value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '');
/** Empty for what took no time at all. */
const count = (value) => (Number.isFinite(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',') : '');

export function markdownOf({ cases, growth, machine, minutes }) {
  const { processor, cores, kernel, memoryGiB, load, node } = machine;
  const head = `${processor}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}; load average ${load} when it began, the whole run took ${minutes.toFixed(0)} minutes. Medians of interleaved rounds, lowest and highest in brackets; ratios are medians of the ratios of each round. Memory: resident, all processes of the command together.`;
  const parts = [head, ...cases.map(caseTable)];
  if (growth.length > 0) parts.push(growthTable(growth));
  return `${parts.join('\n\n')}\n`;
}

function caseTable({ title, isCold, files, bytes, rows }) {
  const lines = [
    `### ${title}: ${count(files)} files, ${count(bytes / 1e6)} MB${isCold ? '' : ', warm'}`,
    '',
    '| command | rounds | wall s | cpu s | files/s | MB/s | peak MiB | wall, times | cpu, times | of |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---|',
  ];
  for (const row of rows) lines.push(row.cannot === undefined ? caseRow(row, files, bytes) : `| ${row.name} | could not: ${row.cannot.replaceAll('|', '/')} |${' |'.repeat(8)}`);
  return lines.join('\n');
}

function caseRow({ name, rounds, wall, spread, cpu, rssMiB, ratio, cpuRatio, beside }, files, bytes) {
  const range = rounds > 1 ? ` (${spread.map((each) => number(each)).join('-')})` : '';
  const cells = [name, rounds, `${number(wall)}${range}`, number(cpu), count(files / wall), count(bytes / 1e6 / wall), number(rssMiB, 0), number(ratio), number(cpuRatio), beside ?? ''];
  return `| ${cells.join(' | ')} |`;
}

function growthTable(growth) {
  const names = growth[0].rows.map(({ name }) => name);
  const lines = [
    '### How time and memory grow (files of 64 B): seconds, MiB',
    '',
    `| command | ${growth.map(({ files }) => `${count(files)} files`).join(' | ')} |`,
    `|---|${'---:|'.repeat(growth.length)}`,
  ];
  for (const name of names) {
    const cells = growth.map(({ rows }) => rows.find((row) => row.name === name)).map((row) => (row?.wall === undefined ? '' : `${number(row.wall)} s, ${number(row.rssMiB, 0)} MiB`));
    lines.push(`| ${name} | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

export function plotOf({ cases, growth, machine }) {
  const panels = cases.map(({ title, rows }) =>
    barPanel({
      title: `${title}: seconds`,
      bars: rows.filter(({ cannot }) => cannot === undefined).map(({ name, wall, ratio, beside }) => ({
        label: name,
        value: wall,
        note: `${number(wall)} s${!Number.isFinite(ratio) ? '' : `  (${number(ratio)} x ${beside})`}`,
        isOurs: name.startsWith('driftline'),
      })),
    }),
  );
  if (growth.length > 1) {
    const names = growth[0].rows.map(({ name }) => name);
    const series = (key) => names.map((label) => ({ label, isOurs: label.startsWith('driftline'), points: growth.flatMap(({ files, rows }) => rows.filter((row) => row.name === label && row[key] !== undefined).map((row) => [files, row[key]])) }));
    panels.push(linePanel({ title: 'seconds, by number of files (both axes logarithmic)', series: series('wall') }));
    panels.push(linePanel({ title: 'peak MiB, by number of files (both axes logarithmic)', series: series('rssMiB') }));
  }
  return svgOf(`${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}`, panels);
}
