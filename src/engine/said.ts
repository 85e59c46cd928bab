// What an open drift was said to be, and what that means for what is found of it now.
import { isMilder, type Ruling } from '../domain/actor-rule.ts';
import { type Drift, driftKey, SEVERITIES, type Severity } from '../domain/drift.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import { ruleOf } from './findings.ts';
import type { OpenDrift, Store } from './ports/store.ts';

/** What was said of an open drift stays said, whoever comes after. */
export function rulingAfter(known: OpenDrift | undefined, ruling: Ruling, rule: Rule): Ruling {
  if (known === undefined) return ruling;
  const said = saidOf(known);
  const onDrift = onDriftAfter(said, rule);
  return isMilder(ruling, { severity: said.severity ?? rule.severity, onDrift })
    ? { severity: rule.severity, onDrift }
    : ruling;
}

/** Of drift that is open as it is found now. */
export function onDriftAsSaid(drift: Drift, scope: Scope, store: Store): Ruling['onDrift'] | undefined {
  const [rule, key] = [ruleOf(drift, scope), driftKey(drift)];
  const known = store.openDriftAt(key).find((open) => open.key === key);
  return rule && known && onDriftAfter(saidOf(known), rule);
}

/**
 * Under a rule that accepts, drift is open because of who made it, unless it could not be read or something else had to be
 * accepted first. Which of these it was is not remembered: where a rule tells makers apart, it stays open.
 */
function onDriftAfter({ isUnread }: Said, { onDrift, by = [] }: Rule): Ruling['onDrift'] {
  const mayBeMaker = by.some((clause) => clause.onDrift === 'report');
  return onDrift === 'accept' && mayBeMaker && !isUnread ? 'report' : onDrift;
}

interface Said {
  readonly severity: Severity | undefined;
  readonly isUnread: boolean;
}

function saidOf({ record }: OpenDrift): Said {
  const { severity, after } = JSON.parse(record) as { readonly severity?: unknown; readonly after?: unknown };
  const isUnread = typeof after === 'object' && after !== null && 'incomplete' in after;
  return { severity: SEVERITIES.find((one) => one === severity), isUnread };
}
