// Who did it, for a person.
import type { Actor } from '../domain/actor.ts';
import { escapeText } from '../domain/escape.ts';

/** `useradd(812) uid 0 login 1000 in ssh.service`, as much as is known; undefined when nothing is. Escaped. */
export function actorText(actor: Actor): string | undefined {
  const { pid, exe, cmdline, uid, loginUid, unit } = actor;
  const program = exe === undefined ? cmdline?.[0] : exe;
  const name =
    program === undefined || program === '' ? undefined : escapeText(program.slice(program.lastIndexOf('/') + 1));
  const words = [
    name === undefined ? (pid === undefined ? undefined : `pid ${pid}`) : pid === undefined ? name : `${name}(${pid})`,
    uid === undefined ? undefined : `uid ${uid}`,
    loginUid === undefined || loginUid === uid ? undefined : `login ${loginUid}`,
    unit === undefined ? undefined : `in ${escapeText(unit)}`,
  ].filter((word) => word !== undefined);
  return words.length === 0 ? undefined : words.join(' ');
}

/** The last of several who is known, and how many others there are: `sshd(7) uid 0 and 2 more`; undefined when nobody is. */
export function actorsText(actors: readonly Actor[]): string | undefined {
  const known = actors.flatMap((actor) => actorText(actor) ?? []);
  const others = known.length - 1;
  return others > 0 ? `${known.at(-1)} and ${others} more` : known[0];
}
