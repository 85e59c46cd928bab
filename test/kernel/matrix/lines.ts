// Events as the scenarios write them: one line for each object, what happened to it and what told so.
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import * as fan from 'driftline/fanotify';

/** All that is queued. The descriptors stay open: `closeEvent`. */
export function drain(group: fan.FanotifyGroup): fan.FanotifyEvent[] {
  const events: fan.FanotifyEvent[] = [];
  for (let read = group.read(); read.length > 0; read = group.read()) events.push(...read);
  return events;
}

/**
 * `MODIFY|CLOSE_WRITE 'name' F`. A directory's record with a name is the name, without one `dir`; F is the object's own;
 * the two sides of a rename are `'old'>'new'`. Events of one object are one line, by whatever process and in whatever
 * queue slot they were, for the kernel merges as time goes (fanotify(7)); lines keep the order of the first events.
 */
export function linesOf(group: fan.FanotifyGroup): string[] {
  const masks = new Map<string, number>();
  for (const event of drain(group)) {
    const key = `${objectOf(event)}\0${event.mask & fan.FAN_RENAME}\0${handlesOf(event)}`;
    masks.set(key, (masks.get(key) ?? 0) | event.mask);
    fan.closeEvent(event);
  }
  return [...masks].map(([key, mask]) => `${wordsOf(mask)} ${key.split('\0')[0]}`);
}

function wordsOf(mask: number): string {
  return fan.maskToString(mask).replaceAll('FAN_', '');
}

function handlesOf({ records }: fan.FanotifyEvent): string {
  return records.map((record) => ('handle' in record ? record.handle : '')).join();
}

function objectOf(event: fan.FanotifyEvent): string {
  if (event.fd >= 0) return (readlinkSync(`/proc/self/fd/${event.fd}`).split('/').at(-1) ?? '').replace(/^#\d+/, '#');
  const words = event.records.flatMap((record) => wordOf(record) ?? []);
  return words.join(' ').replace('> >', '>');
}

function wordOf(record: fan.InfoRecord): string | undefined {
  switch (record.kind) {
    case 'fid':
      return 'F';
    case 'dirFid':
      return 'dir';
    case 'dirFidName':
      // The name of what O_TMPFILE makes is its inode number.
      return `'${record.name.replace(/^#\d+$/, '#')}'`;
    case 'oldDirFidName':
      return `'${record.name}'>`;
    case 'newDirFidName':
      return `>'${record.name}'`;
    default:
      return undefined;
  }
}

/** Runs a shell script in a directory; throws what it said when it fails. */
export function sh(cwd: string, script: string): void {
  const ran = spawnSync('bash', ['-ec', script], { cwd, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${script}\n${ran.stdout}${ran.stderr}`);
}
