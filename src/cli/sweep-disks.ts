// The disks of a daemon's sweeps: slow, behind everybody else, and without a trace in the page cache.
import { openDisk } from '../disk/disk.ts';
import type { Settings } from '../domain/settings.ts';
import type { Disk } from '../engine/ports/disk.ts';
import { scopeSettings } from './state.ts';

export interface SweepDisks {
  /** One for each sweep: between two of them nothing of it is left. */
  open(): Disk;
  /** Ends the sweeps that are going on. */
  close(): Promise<void>;
}

/** Nobody waits for a sweep; a second thread would only take more from others. */
const JOBS = 1;

export function openSweepDisks(settings: Settings): SweepDisks {
  const scope = scopeSettings(settings);
  const { bytesPerSecond } = settings.watch.sweep;
  const disks = new Set<Disk>();
  return {
    open() {
      const disk = openDisk({ scope, jobs: JOBS, bytesPerSecond, idle: true, dropCache: true });
      const close = async (): Promise<void> => {
        await disk.close();
        disks.delete(disk);
      };
      disks.add(disk);
      return { ...disk, close };
    },
    close: async () => {
      await Promise.all([...disks].map((disk) => disk.close()));
    },
  };
}
