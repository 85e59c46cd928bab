// driftline accept: make the present state the baseline, through the running watch when there is one.
import { openDisk } from '../../disk/disk.ts';
import { AppError } from '../../domain/errors.ts';
import { escapePath } from '../../domain/escape.ts';
import { fingerprint } from '../../domain/fingerprint.ts';
import { type BytePath, pathFromLatin1 } from '../../domain/path.ts';
import type { Settings } from '../../domain/settings.ts';
import { type AcceptRequest, type AcceptResult, accept } from '../../engine/accept.ts';
import { check } from '../../engine/check.ts';
import { ruleOf } from '../../engine/findings.ts';
import { walkRoots } from '../../engine/roots.ts';
import { pathJson } from '../../report/entry-json.ts';
import { jsonText } from '../../report/json-text.ts';
import { pluralText } from '../../report/quantity.ts';
import { recordWriter } from '../../report/record-writer.ts';
import { driftLine } from '../../report/text.ts';
import { systemClock } from '../clock.ts';
import { argumentPaths, type Context, loadContext, scopeOf } from '../context.ts';
import { askWatch } from '../control-client.ts';
import { isRecord } from '../control-protocol.ts';
import { openRecords } from '../drift-record.ts';
import { currentActor, newId } from '../identity.ts';
import { openQuestions } from '../questions.ts';
import { busy, hash, lockState, openState, scopeSettings } from '../state.ts';

export interface AcceptArguments {
  readonly paths: readonly string[];
  readonly all: boolean;
  readonly interactive: boolean;
  readonly report: string | undefined;
  readonly json: boolean;
}

/** What the command says, from either side of the control socket. */
export interface AcceptSummary {
  readonly generation: number;
  readonly accepted: readonly BytePath[];
  readonly incomplete: readonly BytePath[];
}

export async function runAccept(context: Context, args: AcceptArguments): Promise<number> {
  assertArguments(args);
  const { settings } = await loadContext(context);
  const paths = argumentPaths(context, args.paths);
  walkRoots(scopeOf(settings), paths);
  const reviewed = args.interactive ? await review(context, settings, paths) : undefined;
  if (reviewed?.size === 0) {
    context.output.note('nothing accepted');
    return 0;
  }
  const request = { paths, report: args.report, reviewed, by: currentActor() };
  const summary = (await askRunningWatch(settings, request)) ?? (await acceptHere(settings, request));
  tell(context, args.json, summary);
  return summary.incomplete.length > 0 ? 74 : 0;
}

function assertArguments({ paths, all, interactive, report }: AcceptArguments): void {
  const hint = 'name paths, or say --all, --interactive or --report ID';
  if (paths.length === 0 && !all && !interactive && report === undefined) {
    throw new AppError('USAGE', 'accept needs to know what', { hint });
  }
  if (all && paths.length > 0) throw new AppError('USAGE', '--all and paths exclude each other', { hint });
  if (report !== undefined && interactive) throw new AppError('USAGE', '--report and --interactive exclude each other');
}

async function askRunningWatch(settings: Settings, request: AcceptRequest): Promise<AcceptSummary | undefined> {
  const reply = await askWatch(settings.baseline, { op: 'accept', request });
  if (reply === undefined) return undefined;
  if (!isRecord(reply)) throw new AppError('INTERNAL', 'the watch gave an answer that is none');
  const { generation, accepted, incomplete } = reply;
  return { generation: Number(generation), accepted: pathList(accepted), incomplete: pathList(incomplete) };
}

function pathList(value: unknown): BytePath[] {
  return Array.isArray(value) ? value.map((path: unknown) => pathFromLatin1(String(path))) : [];
}

export function summaryOf({ generation, accepted, incomplete }: AcceptResult): AcceptSummary {
  return { generation, accepted: accepted.map(({ path }) => path), incomplete };
}

async function acceptHere(settings: Settings, request: AcceptRequest): Promise<AcceptSummary> {
  const lock = lockState(settings.baseline);
  if (lock === undefined) throw busy(settings.baseline);
  const store = openState(settings, 'write');
  const disk = openDisk({ scope: scopeSettings(settings) });
  try {
    const scope = scopeOf(settings);
    const common = { disk, store, baseline: store.baseline, scope, hash };
    const parts = { ...common, records: recordWriter, clock: systemClock, newId };
    return summaryOf(await accept(parts, request));
  } finally {
    await disk.close();
    store.close();
    lock.release();
  }
}

/** Asks about each drift; the answers stand for exactly what was shown. */
async function review(
  context: Context,
  settings: Settings,
  paths: readonly BytePath[],
): Promise<Map<BytePath, string>> {
  const scope = scopeOf(settings);
  const store = openState(settings, 'read');
  const disk = openDisk({ scope: scopeSettings(settings) });
  const questions = openQuestions();
  const reviewed = new Map<BytePath, string>();
  const recordOf = openRecords(store);
  try {
    const parts = { disk, baseline: store.baseline, scope };
    for await (const item of check(parts, { roots: walkRoots(scope, paths), quick: false, hash })) {
      const rule = item.kind === 'drift' ? ruleOf(item.drift, scope) : undefined;
      if (item.kind !== 'drift' || rule === undefined) continue;
      const question = `${driftLine(recordOf(item.drift), { colour: context.output.colour })}\naccept? [y]es [n]o [q]uit: `;
      const answer = await questions.ask(question);
      if (answer === undefined || answer.startsWith('q')) break;
      if (answer.startsWith('y')) reviewed.set(item.drift.path, fingerprint(item.drift, rule.attributes));
    }
    return reviewed;
  } finally {
    questions.close();
    await disk.close();
    store.close();
  }
}

function tell({ output }: Context, json: boolean, { generation, accepted, incomplete }: AcceptSummary): void {
  for (const path of incomplete) output.warn(`driftline: cannot read ${escapePath(path)}: left as it was`);
  if (json) {
    const listOf = (paths: readonly BytePath[]) => paths.map((path) => pathJson('path', path));
    output.data(
      `${jsonText({ v: 1, type: 'accept', generation, accepted: listOf(accepted), incomplete: listOf(incomplete) })}\n`,
    );
    return;
  }
  output.note(
    accepted.length === 0
      ? `nothing to accept: generation ${generation} stands`
      : `accepted ${pluralText(accepted.length, 'drift')}: generation ${generation}`,
  );
}
