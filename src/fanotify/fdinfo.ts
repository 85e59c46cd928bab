// A group as /proc/PID/fdinfo/FD shows it (proc_pid_fdinfo(5)): its flags and its marks.

/** Which events a mark reports and which it swallows, with the FAN_MARK_IGNORE, _SURV_MODIFY and _EVICTABLE bits it has. */
interface MarkMasks {
  readonly flags: number;
  /** In a group with FAN_REPORT_DIR_FID the kernel adds FAN_EVENT_ON_CHILD. */
  readonly mask: number;
  readonly ignoredMask: number;
}

/** One mark; `device` is `major:minor`, as in /proc/self/mountinfo. */
export type MarkInfo = MarkMasks &
  (
    | {
        readonly kind: 'inode';
        readonly ino: bigint;
        readonly device: string;
        /** struct file_handle, one character per byte, as in info records; undefined where there is none. */
        readonly handle: string | undefined;
      }
    | { readonly kind: 'filesystem'; readonly device: string }
    /** As in the first column of /proc/self/mountinfo. */
    | { readonly kind: 'mount'; readonly mountId: number }
    /** Inode number of /proc/PID/ns/mnt. */
    | { readonly kind: 'mountNamespace'; readonly ino: bigint }
  );

/** The marks in the text of fdinfo; lines of kinds that are not known here are passed over. */
export function parseMarks(fdinfo: string): MarkInfo[] {
  return fdinfo.split('\n').flatMap((line) => (line.startsWith('fanotify ') ? (parseMark(line) ?? []) : []));
}

/** Its fanotify_init(2) flags; undefined when the text is of something else. */
export function parseGroupFlags(fdinfo: string): number | undefined {
  const hex = /^fanotify flags:([0-9a-f]+) /m.exec(fdinfo)?.[1];
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

function parseMark(line: string): MarkInfo | undefined {
  const fields = new Map(Array.from(line.matchAll(/([\w-]+):(\w+)/g), ([, key = '', value = '']) => [key, value]));
  const masks = {
    flags: hexOf(fields, 'mflags'),
    mask: hexOf(fields, 'mask'),
    ignoredMask: hexOf(fields, 'ignored_mask'),
  };
  const ino = fields.get('ino');
  if (ino !== undefined)
    return { kind: 'inode', ino: BigInt(`0x${ino}`), device: deviceOf(fields), handle: handleOf(fields), ...masks };
  if (fields.has('sdev')) return { kind: 'filesystem', device: deviceOf(fields), ...masks };
  if (fields.has('mnt_id')) return { kind: 'mount', mountId: hexOf(fields, 'mnt_id'), ...masks };
  // The one number that is decimal.
  const namespace = fields.get('mnt_ns');
  return namespace === undefined ? undefined : { kind: 'mountNamespace', ino: BigInt(namespace), ...masks };
}

function hexOf(fields: ReadonlyMap<string, string>, key: string): number {
  return Number.parseInt(fields.get(key) ?? '0', 16);
}

/** The kernel's own dev_t: 20 bits of minor number. */
function deviceOf(fields: ReadonlyMap<string, string>): string {
  const device = hexOf(fields, 'sdev');
  return `${device >>> 20}:${device & 0xfffff}`;
}

function handleOf(fields: ReadonlyMap<string, string>): string | undefined {
  const bytes = fields.get('f_handle');
  if (bytes === undefined) return undefined;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(hexOf(fields, 'fhandle-bytes'), 0);
  head.writeInt32LE(hexOf(fields, 'fhandle-type') | 0, 4);
  return Buffer.concat([head, Buffer.from(bytes, 'hex')]).toString('latin1');
}
