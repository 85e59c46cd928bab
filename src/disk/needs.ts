// What each rule of a scope wants to be read.
import { needsDigest } from '../domain/attribute.ts';
import type { Rule, Scope } from '../domain/rule.ts';
import type { Needs } from './entry-reader.ts';

export interface RuleNeeds {
  /** The rule's place in the scope, by which work names it. */
  readonly index: number;
  readonly needs: Needs;
}

export function needsByRule(scope: Scope): ReadonlyMap<Rule, RuleNeeds> {
  return new Map(scope.rules.map((rule, index) => [rule, { index, needs: needsOf(rule) }]));
}

function needsOf({ attributes }: Rule): Needs {
  return {
    digest: needsDigest(attributes),
    flags: attributes.names.has('flags'),
    grows: attributes.growing,
  };
}
