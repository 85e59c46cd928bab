// What an open drift was said to be, and what that means for what is found of it now.
import type { Actor } from '../domain/actor.ts';
import { type Ruling, rulingOf, severest } from '../domain/actor-rule.ts';
import { type Drift, type DriftRecord, driftKey, SEVERITIES, type Severity } from '../domain/drift.ts';
import type { BytePath } from '../domain/path.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import type { Attributed } from './attribution.ts';
import { ruleOf } from './findings.ts';
import type { OpenDrift } from './ports/store.ts';

/** What was said of an open drift stays said, whoever comes after. */
export function rulingAfter(known: OpenDrift | undefined, ruling: Ruling, rule: Rule): Ruling {
  if (known === undefined) return ruling;
  const said = saidOf(known);
  const before = onDriftAfter(said, rule);
  return {
    severity: severest(said.severity ?? rule.severity, ruling.severity),
    // What was to be accepted is so no more when somebody comes whose doing is not.
    onDrift: before === 'accept' ? ruling.onDrift : before,
  };
}

/** Who moved a directory did so, also when it is told again because of what is in it. */
export function actorsAfter(known: OpenDrift | undefined, { drift, actors }: Attributed): readonly Actor[] {
  const isTheSame = known !== undefined && drift.kind === 'moved' && known.path === drift.path;
  if (!isTheSame || actors.some(({ source }) => source !== 'unknown')) return actors;
  const said = saidOf(known).actors;
  return said.length > 0 ? said : actors;
}

/** Of drift that is open as it is found now. */
export function rulingAsSaid(drift: Drift, open: ReadonlyMap<BytePath, OpenDrift>, scope: Scope): Ruling | undefined {
  const [rule, known] = [ruleOf(drift, scope), open.get(driftKey(drift))];
  if (rule === undefined || known === undefined) return undefined;
  const said = saidOf(known);
  return { severity: said.severity ?? rule.severity, onDrift: onDriftAfter(said, rule) };
}

/** For the record of what is to be accepted and cannot be yet. */
export function acceptsBy(rule: Rule | undefined): NonNullable<DriftRecord['accepts']> {
  return rule?.onDrift === 'accept' ? 'rule' : 'by';
}

/**
 * What was to be accepted still is, if the rule of today would accept what those did who were seen. Anything else is open
 * because of who made it, or because of the rule of that time.
 */
function onDriftAfter({ accepts, actors }: Said, rule: Rule): Ruling['onDrift'] {
  const isLeft = accepts === 'by' || (accepts === 'rule' && rule.onDrift === 'accept');
  if (isLeft && rulingOf(rule, actors, false).onDrift === 'accept') return 'accept';
  return rule.onDrift === 'accept' ? 'report' : rule.onDrift;
}

interface Said {
  readonly severity: Severity | undefined;
  readonly accepts: unknown;
  readonly actors: readonly Actor[];
}

function saidOf({ record }: OpenDrift): Said {
  const { severity, accepts, actor, actors } = JSON.parse(record) as {
    readonly severity?: unknown;
    readonly accepts?: unknown;
    readonly actor?: Actor;
    readonly actors?: readonly Actor[];
  };
  const seen = actors ?? (actor === undefined ? [] : [actor]);
  return { severity: SEVERITIES.find((one) => one === severity), accepts, actors: seen };
}
