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
