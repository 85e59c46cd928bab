// Disks beside the one that everybody waits for: of sweeps, slow, behind everybody else, and without a trace in the page cache;
// and of large files.
import { type DiskOptions, type ObservedDisk, openDisk } from '../disk/disk.ts';
import type { Settings } from '../domain/settings.ts';
import type { Disk } from '../engine/ports/disk.ts';
import { scopeSettings } from './state.ts';

export interface SideDisks {
  /** One for each sweep, or for some files: between two of them nothing of it is left. */
  open(): Disk;
  /** What they have read since `open`, those that are closed among them. */
  bytesHashed(): number;
  /** Ends what is going on. */
  close(): Promise<void>;
}

export function openSweepDisks(settings: Settings): SideDisks {
  const { bytesPerSecond } = settings.watch.sweep;
  return openSideDisks({ scope: scopeSettings(settings), bytesPerSecond, idle: true, dropCache: true });
}

export function openLargeDisks(settings: Settings): SideDisks {
  return openSideDisks({ scope: scopeSettings(settings) });
}

/** A second thread would only take more from others. */
const JOBS = 1;

function openSideDisks(options: DiskOptions): SideDisks {
  const disks = new Set<ObservedDisk>();
  let bytesBefore = 0;
  return {
    open() {
      const disk = openDisk({ ...options, jobs: JOBS });
      const close = async (): Promise<void> => {
        await disk.close();
        if (disks.delete(disk)) bytesBefore += bytesOf(disk);
      };
      disks.add(disk);
      return { ...disk, close };
    },
    bytesHashed: () => [...disks].reduce((sum, disk) => sum + bytesOf(disk), bytesBefore),
    close: async () => {
      await Promise.all([...disks].map((disk) => disk.close()));
    },
  };
}

export function bytesOf(disk: ObservedDisk): number {
  return disk.meters().reduce((sum, { bytesRead }) => sum + bytesRead, 0);
}
