// driftline status: coverage, backlog, open drift, hooks, last sweep.
import { errorCode, errorMessage } from '../../domain/errors.ts';
import { escapeText } from '../../domain/escape.ts';
import type { Settings } from '../../domain/settings.ts';
import { sightText } from '../../report/coverage-text.ts';
import { countText, intervalText, pluralText } from '../../report/quantity.ts';
import { type Context, loadContext } from '../context.ts';
import { askWatch } from '../control-client.ts';
import { isRecord } from '../control-protocol.ts';
import { hookText } from '../hook-text.ts';
import { openState } from '../state.ts';
import { deafStatus, idleStatus, type StatusDocument } from '../status.ts';

export async function runStatus(context: Context, json: boolean): Promise<number> {
  const { settings } = await loadContext(context);
  const document = await currentStatus(context, settings);
  context.output.data(json ? `${JSON.stringify(document)}\n` : statusText(document));
  return document.healthy === false ? LOST : 0;
}

/** Of the running watch; without one, what the baseline tells. */
export async function currentStatus(context: Context, settings: Settings): Promise<StatusDocument> {
  const store = openState(settings, 'read');
  try {
    const running = await askRunning(context, settings);
    if (isStatus(running)) return running;
    return running === DEAF ? deafStatus(settings, store) : idleStatus(settings, store);
  } finally {
    store.close();
  }
}

/** As the bit of a check: something is not seen. */
const LOST = 8;

/** A watch that is running and gives no answer. */
const DEAF = Symbol('deaf');

/** Of a watch that does not answer nobody knows what it covers. */
async function askRunning({ output }: Context, { baseline }: Settings): Promise<unknown> {
  try {
    return await askWatch(baseline, { op: 'status' });
  } catch (error) {
    if (errorCode(error) !== 'BUSY') throw error;
    output.warn(`driftline: ${errorMessage(error)}: what it covers is not known`);
    return DEAF;
  }
}

/** The other end is the same program behind a socket that only its user can open: its type is enough. */
function isStatus(value: unknown): value is StatusDocument {
  return isRecord(value) && value['type'] === 'status';
}

function statusText(document: StatusDocument): string {
  const { pid, since, generation, entries, openDrift, backlog, overflows } = document;
  const lines = [
    pid === null ? idleText(document) : `watch     running, pid ${pid}, since ${since}`,
    `baseline  generation ${generation}, ${countText(entries)} entries`,
    `drift     ${openDrift.added} added, ${openDrift.removed} removed, ${openDrift.changed} changed, ${openDrift.moved} moved${severities(openDrift.bySeverity)}`,
  ];
  if (pid !== null)
    lines.push(`events    ${pluralText(backlog, 'path')} waiting, ${pluralText(overflows, 'overflow')}`);
  for (const row of document.coverage) lines.push(`coverage  ${escapeText(row.mount)}  ${sightText(row)}`);
  for (const { cause, from, to } of document.gaps) lines.push(`gap       ${cause}, from ${from} to ${to}`);
  for (const row of document.hooks) lines.push(`hook      ${row.name}  ${hookText(row)}`);
  for (const [tier, row] of Object.entries(document.sweep)) lines.push(`sweep     ${tier}  ${sweepText(row)}`);
  return `${lines.join('\n')}\n`;
}

function idleText({ healthy, gaps }: StatusDocument): string {
  if (gaps.length > 0) return 'watch     not running: it was killed or failed, or the machine with it';
  return healthy === false ? 'watch     gives no answer' : 'watch     not running';
}

function sweepText({ every, last, running, content, part, parts }: StatusDocument['sweep'][string]): string {
  if (every === null) return 'off';
  const rhythm = running ? 'running' : `every ${intervalText(every)}, last ${last ?? 'none yet'}`;
  if (content === null || parts === 1) return `${rhythm}, all content`;
  return `${rhythm}, all content within ${intervalText(content)}, ${running ? 'now' : 'next'} part ${part} of ${parts}`;
}

function severities(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0 ? '' : ` (${some.map(([severity, count]) => `${count} ${severity}`).join(', ')})`;
}
