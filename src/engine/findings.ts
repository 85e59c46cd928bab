// From findings to drift.
import type { Drift } from '../domain/drift.ts';
import { pairMoves } from '../domain/moves.ts';
import type { BytePath } from '../domain/path.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import type { Finding } from './page-diff.ts';

export type Difference = Exclude<Finding, { readonly kind: 'incomplete' | 'lost' }>;

export function driftOf(finding: Difference): Drift {
  const before = finding.kind === 'added' ? undefined : finding.before;
  const after = finding.kind === 'removed' ? undefined : finding.after;
  return {
    kind: finding.kind,
    path: pathOf(finding),
    rule: finding.rule.name,
    severity: finding.rule.severity,
    changed: finding.kind === 'changed' ? finding.changed : [],
    before,
    after,
    from: undefined,
    entries: undefined,
    oldPart: finding.kind === 'changed' ? finding.oldPart : undefined,
  };
}

export function pathOf(finding: Difference): BytePath {
  return finding.kind === 'removed' ? finding.before.path : finding.after.path;
}

/** A path can be found twice: by itself and below a tree. */
export function unique(differences: readonly Difference[]): Difference[] {
  return [...new Map(differences.map((one) => [pathOf(one), one])).values()];
}

/** The drift of all findings, moves paired, without what falls under rules that say `onDrift: ignore`. */
export function driftsOf(findings: readonly Difference[], scope: Scope): Drift[] {
  return pairMoves(findings.filter(({ rule }) => rule.onDrift !== 'ignore').map(driftOf), scope);
}

export function ruleOf(drift: Drift, scope: Scope): Rule | undefined {
  return scope.rules.find((rule) => rule.name === drift.rule);
}
