// How single paths are read: those of a directory together, and by itself each of which only what was appended is read.
import { type BytePath, dirOf, nameOf } from '../domain/path.ts';
import type { Appended } from './appended.ts';
import type { Baseline } from './ports/store.ts';

/** For Disk.read; `token`: its `appended`. */
type Reading = readonly [dir: BytePath, names: readonly BytePath[], token?: number];

export function readingsOf(
  paths: Iterable<BytePath>,
  { appended, baseline }: { readonly appended?: Appended; readonly baseline: Baseline },
): Reading[] {
  const readings: Reading[] = [];
  const names = new Map<BytePath, BytePath[]>();
  for (const path of paths) {
    const [dir, name] = [dirOf(path), nameOf(path)];
    const token = appended?.has(path) ? appended.tokenOf(path, baseline.find(path)) : undefined;
    const known = names.get(dir);
    if (token !== undefined) readings.push([dir, [name], token]);
    else if (known === undefined) names.set(dir, [name]);
    else known.push(name);
  }
  return [...readings, ...names];
}
