// driftline explain PATH: which rule, attributes, hooks, coverage, and why.

import type { ActorClause } from '../../domain/actor-rule.ts';
import type { Coverage } from '../../domain/coverage.ts';
import { errorCode } from '../../domain/errors.ts';
import { escapePath, escapeText } from '../../domain/escape.ts';
import { type BytePath, isWithin } from '../../domain/path.ts';
import type { Explanation, Rule } from '../../domain/rule.ts';
import type { Settings } from '../../domain/settings.ts';
import { isStandIn } from '../../domain/stand-in.ts';
import { pathJson } from '../../report/entry-json.ts';
import { type JsonObject, jsonText } from '../../report/json-text.ts';
import { argumentPaths, type Context, loadContext, scopeOf } from '../context.ts';
import { viewOfWatch } from '../control-client.ts';
import { openState } from '../state.ts';

export interface ExplainArguments {
  readonly path: string;
  readonly json: boolean;
}

export async function runExplain(context: Context, { path: argument, json }: ExplainArguments): Promise<number> {
  const [path] = argumentPaths(context, [argument]) as [BytePath];
  const { settings, file } = await loadContext(context);
  const found = scopeOf(settings).explain(path);
  const facts = {
    coverage: bestCoverage(path, (await viewOfWatch(settings.baseline)).coverage),
    inBaseline: isInBaseline(settings, path),
    file,
  };
  context.output.data(json ? `${jsonText(toJson(path, found, facts))}\n` : toText(path, found, facts, settings));
  return 0;
}

interface Facts {
  readonly coverage: Coverage | undefined;
  /** undefined: there is no baseline to ask. */
  readonly inBaseline: boolean | undefined;
  readonly file: string | undefined;
}

function bestCoverage(path: BytePath, coverage: readonly Coverage[]): Coverage | undefined {
  const above = coverage.filter(({ mount }) => isWithin(path, mount));
  return above.sort((a, b) => b.mount.length - a.mount.length)[0];
}

function isInBaseline(settings: Settings, path: BytePath): boolean | undefined {
  try {
    const store = openState(settings, 'read');
    try {
      const entry = store.baseline.find(path);
      return entry !== undefined && !isStandIn(entry);
    } finally {
      store.close();
    }
  } catch (error) {
    if (errorCode(error) === 'BASELINE_MISSING') return undefined;
    throw error;
  }
}

function attributeNames({ attributes }: Rule): string[] {
  return [...attributes.names, ...(attributes.growing ? ['growing'] : [])];
}

function toJson(path: BytePath, found: Explanation, { coverage, inBaseline }: Facts): JsonObject {
  const base = {
    v: 1,
    type: 'explain',
    ...pathJson('path', path),
    covered: found.kind === 'rule',
    inBaseline: inBaseline ?? null,
  };
  if (found.kind === 'outside') return { ...base, rule: null };
  const { rule } = found;
  const by =
    found.kind === 'excluded'
      ? { excludedBy: found.by, ...pathJson('excludedAt', found.at) }
      : pathJson('root', found.root);
  return {
    ...base,
    rule: rule.name,
    ...by,
    attributes: attributeNames(rule),
    severity: rule.severity,
    onDrift: rule.onDrift,
    by: (rule.by ?? []).map((clause) => ({ ...clause })),
    hooks: rule.hooks,
    coverage: coverage?.mode ?? null,
  };
}

function toText(path: BytePath, found: Explanation, facts: Facts, settings: Settings): string {
  const lines = [escapePath(path)];
  const add = (label: string, value: string): number => lines.push(`  ${label.padEnd(11)}${value}`);
  if (found.kind === 'outside') {
    add('covered', `no: no rule has a path at or above it (${facts.file ?? 'paths of the baseline'})`);
  } else if (found.kind === 'excluded') {
    add('covered', `no: rule ${found.rule.name} excludes it: ${escapeText(found.by)} matches ${escapePath(found.at)}`);
  } else {
    addRule(add, found.rule, found.root, settings);
  }
  add(
    'baseline',
    facts.inBaseline === undefined ? 'there is none yet' : facts.inBaseline ? 'has it' : 'does not have it',
  );
  const { coverage } = facts;
  if (found.kind === 'rule') {
    const watched =
      coverage === undefined ? 'no watch is running' : `${coverage.mode} mark on ${escapePath(coverage.mount)}`;
    add('watched', coverage?.reason === undefined ? watched : `${watched}: ${escapeText(coverage.reason)}`);
  }
  return `${lines.join('\n')}\n`;
}

function addRule(add: (label: string, value: string) => void, rule: Rule, root: BytePath, settings: Settings): void {
  add('covered', `yes: rule ${rule.name}, which has ${escapePath(root)}`);
  add('compared', attributeNames(rule).join(' '));
  add('severity', rule.severity);
  const onDrift = {
    report: 'reported, open until accepted',
    accept: 'the hooks run and it becomes the baseline',
    ignore: 'nothing',
  } as const;
  add('on drift', onDrift[rule.onDrift]);
  for (const clause of rule.by ?? [])
    add(
      'by',
      clauseText(clause, (one) => onDrift[one]),
    );
  for (const name of rule.hooks) {
    const hook = settings.hooks.find((one) => one.name === name);
    add(
      'hook',
      `${name}: ${escapeText((hook?.run ?? []).join(' '))} (${hook?.stdin} on standard input), see \`driftline hook test ${name}\``,
    );
  }
}

function clauseText(
  { exe, user, unit, severity, onDrift }: ActorClause,
  words: (one: Rule['onDrift']) => string,
): string {
  const who = Object.entries({ exe, user, unit }).flatMap(([key, value]) =>
    value === undefined ? [] : `${key} ${escapeText(value)}`,
  );
  const what = [severity, onDrift === undefined ? undefined : words(onDrift)].filter((word) => word !== undefined);
  return `${who.join(', ')}: ${what.join(', ')}`;
}
