// Users that rules name, as the numbers that they have on this machine.
import type { ActorClause } from '../domain/actor-rule.ts';
import type { Settings } from '../domain/settings.ts';
import { userIdOf } from '../libc/users.ts';

/** A user that this machine does not have (yet) is no mistake: nobody is that user. */
export function withUserIds(settings: Settings): Settings {
  const rules = settings.rules.map((rule) => (rule.by === undefined ? rule : { ...rule, by: rule.by.map(withUserId) }));
  return { ...settings, rules };
}

function withUserId(clause: ActorClause): ActorClause {
  const { user } = clause;
  if (user === undefined) return clause;
  return { ...clause, uid: /^\d+$/.test(user) ? Number(user) : userIdOf(user) };
}
