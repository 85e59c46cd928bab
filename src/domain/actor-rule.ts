// `by:` of a rule: what counts of a drift when certain processes alone made it.
import type { Actor } from './actor.ts';
import { SEVERITIES, type Severity } from './drift.ts';
import { compilePatterns } from './glob.ts';
import { pathFromText } from './path.ts';
import type { Rule } from './rule.ts';

export interface ActorClause {
  /** Pattern of the program's absolute path. */
  readonly exe: string | undefined;
  /** Name or number. */
  readonly user: string | undefined;
  /** The number of `user`; undefined also for a user that this machine does not have: then nobody fits. */
  readonly uid: number | undefined;
  /** Pattern of the systemd unit's name. */
  readonly unit: string | undefined;
  /** undefined: those of the rule. */
  readonly severity: Severity | undefined;
  readonly onDrift: 'report' | 'accept' | undefined;
}

export interface Ruling {
  readonly severity: Severity;
  readonly onDrift: Rule['onDrift'];
}

/**
 * What counts of a drift: the first clause that fits everybody who was seen, and that everybody was seen. `hasOthers`: somebody
 * did it, too, who is not among the actors.
 */
export function rulingOf(rule: Rule, actors: readonly Actor[], hasOthers: boolean): Ruling {
  const own = { severity: rule.severity, onDrift: rule.onDrift };
  if (rule.by === undefined || hasOthers || actors.length === 0) return own;
  const clause = rule.by.find((one) => actors.every((actor) => fits(one, actor)));
  if (clause === undefined) return own;
  return { severity: clause.severity ?? rule.severity, onDrift: clause.onDrift ?? rule.onDrift };
}

/** What an open drift was said to be is not taken back because of who came after. */
export function severest(a: Severity, b: Severity): Severity {
  return SEVERITIES.indexOf(a) < SEVERITIES.indexOf(b) ? b : a;
}

type Test = (actor: Actor) => boolean;
const tests = new WeakMap<ActorClause, Test>();

function fits(clause: ActorClause, actor: Actor): boolean {
  let test = tests.get(clause);
  if (test === undefined) {
    test = compile(clause);
    tests.set(clause, test);
  }
  return test(actor);
}

function compile({ exe, user, uid, unit }: ActorClause): Test {
  const [fitsExe, fitsUnit] = [pattern(exe), pattern(unit)];
  return (actor) =>
    actor.source !== 'unknown' &&
    fitsExe(actor.exe) &&
    fitsUnit(actor.unit) &&
    (user === undefined || (uid !== undefined && actor.uid === uid));
}

function pattern(text: string | undefined): (value: string | undefined) => boolean {
  if (text === undefined) return () => true;
  const matches = compilePatterns([text]);
  return (value) => {
    if (value === undefined) return false;
    const bytes = pathFromText(value);
    return matches(bytes, bytes) !== undefined;
  };
}
