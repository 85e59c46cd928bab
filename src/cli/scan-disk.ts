// The disk of a command that reads everything once.
import { type ObservedDisk, openDisk } from '../disk/disk.ts';
import type { Settings } from '../domain/settings.ts';
import { becomeIdleProcess } from '../libc/priority.ts';
import type { ScanOptions } from './scan-options.ts';
import { scopeSettings } from './state.ts';

export function openScanDisk(settings: Settings, { jobs, maxRate, idle, dropCache }: ScanOptions): ObservedDisk {
  // This thread, too: it writes the database.
  if (idle) becomeIdleProcess();
  const scope = scopeSettings(settings);
  return openDisk({ scope, jobs: jobs ?? 'auto', bytesPerSecond: maxRate, idle, dropCache, isBrief: true });
}
