// What an open drift was said to be, and what that means for what is found of it now.
import { isMilder, type Ruling } from '../domain/actor-rule.ts';
import { type Drift, driftKey, SEVERITIES, type Severity } from '../domain/drift.ts';
import type { BytePath } from '../domain/path.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import { ruleOf } from './findings.ts';
import type { OpenDrift } from './ports/store.ts';

/** What was said of an open drift stays said, whoever comes after. */
export function rulingAfter(known: OpenDrift | undefined, ruling: Ruling, rule: Rule): Ruling {
  if (known === undefined) return ruling;
  const said = saidOf(known);
  const before = onDriftAfter(said, rule);
  // What was to be accepted is so no more when somebody comes whose doing is not.
  const onDrift = before === 'accept' ? ruling.onDrift : before;
  return isMilder(ruling, { severity: said.severity ?? rule.severity, onDrift })
    ? { severity: rule.severity, onDrift }
    : ruling;
}

/** Of drift that is open as it is found now. */
export function onDriftAsSaid(
  drift: Drift,
  scope: Scope,
  open: ReadonlyMap<BytePath, OpenDrift>,
): Ruling['onDrift'] | undefined {
  const [rule, known] = [ruleOf(drift, scope), open.get(driftKey(drift))];
  return rule && known && onDriftAfter(saidOf(known), rule);
}

export function severitySaid(known: OpenDrift | undefined): Severity | undefined {
  return known && saidOf(known).severity;
}

/**
 * Under a rule that accepts, drift is open because of who made it or because the rule was another one, unless it says that it
 * waits for something else, or could not be read.
 */
function onDriftAfter({ isWaiting, isUnread }: Said, { onDrift, by = [] }: Rule): Ruling['onDrift'] {
  const mayAccept = onDrift === 'accept' || by.some((clause) => clause.onDrift === 'accept');
  if (isWaiting && mayAccept) return 'accept';
  const mayBeMaker = by.some((clause) => clause.onDrift === 'report');
  return onDrift === 'accept' && (!isUnread || mayBeMaker) ? 'report' : onDrift;
}

interface Said {
  readonly severity: Severity | undefined;
  readonly isUnread: boolean;
  readonly isWaiting: boolean;
}

function saidOf({ record }: OpenDrift): Said {
  const { severity, after, waitsFor } = JSON.parse(record) as Readonly<Record<string, unknown>>;
  const isUnread = typeof after === 'object' && after !== null && 'incomplete' in after;
  return { severity: SEVERITIES.find((one) => one === severity), isUnread, isWaiting: waitsFor !== undefined };
}
