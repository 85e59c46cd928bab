// The logs of a rotation as logrotate-postrotate lists them: an empty name, the log, and what is or was rotated of it.
import { readInput } from './settings.mjs';

/** { log, paths } for each; latin1 text. The log is one of the paths. */
export function readFamilies() {
  const families = [];
  const names = readInput().toString('latin1').split('\0').slice(0, -1);
  for (const [at, name] of names.entries()) {
    if (name === '') continue;
    if (names[at - 1] === '' || at === 0) families.push({ log: name, paths: [] });
    families.at(-1).paths.push(name);
  }
  return families;
}
