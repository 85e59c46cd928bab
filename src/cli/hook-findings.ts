// Whether the hooks of a configuration can run, and whether their limits can be enforced.
import type { LoadedSettings } from '../config/load.ts';
import { openCgroups } from '../hooks/cgroup.ts';
import { isLimited } from '../hooks/cgroup-limits.ts';
import { type Finding, findingOf } from './diagnosis.ts';
import { checkEverythingOfHooks } from './hook-problems.ts';

export async function hookFindings(settings: LoadedSettings): Promise<Finding[]> {
  const { hooks } = settings;
  if (hooks.length === 0) return [];
  return [startFinding(settings), await limitFinding(hooks.some(({ limits }) => isLimited(limits)))];
}

function startFinding(settings: LoadedSettings): Finding {
  try {
    checkEverythingOfHooks(settings, settings.told);
    const names = settings.hooks.map(({ name }) => name).join(', ');
    return { subject: 'hooks', level: 'ok', message: `${names} can be started` };
  } catch (error) {
    return findingOf('hooks', 'bad', error);
  }
}

/** Small enough for no kernel to refuse them. */
const SOME = { memoryBytes: 2 ** 30, tasks: 1_000 };

/** Found by making a cgroup for a moment. */
async function limitFinding(isWanted: boolean): Promise<Finding> {
  const subject = 'limits';
  const cgroup = openCgroups()?.create(SOME);
  await cgroup?.remove();
  const missing = cgroup?.unlimited ?? ['memory', 'tasks'];
  if (missing.length === 0) return { subject, level: 'ok', message: 'memory and tasks of hooks can be limited' };
  const level = isWanted ? 'warn' : 'ok';
  const message = `no limit of ${missing.join(' and ')} of hooks can be enforced here`;
  const hint =
    cgroup === undefined
      ? 'there is no cgroup v2 to write to: the service has one (Delegate=yes)'
      : 'the controllers are not handed down to this cgroup: in that of the service they are (Delegate=yes)';
  return isWanted ? { subject, level, message, hint } : { subject, level, message };
}
