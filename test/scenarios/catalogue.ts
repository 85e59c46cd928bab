// Every way to change a file, and the drift that must come of it: one definition for all filesystems. Scripts run in a
// directory of their own in the watched tree; $OUT is one beside it on the same filesystem that no rule covers, $BIND the
// technique's directory through a bind mount, $T the program of techniques.c.

export type Filesystem = 'ext4' | 'xfs' | 'btrfs' | 'btrfs subvolume' | 'tmpfs' | 'overlay';

/** `event`: the kernel tells. `sweep`: nothing tells, and the next sweep finds it. */
export type Finder = 'event' | 'sweep';

export interface Technique {
  readonly name: string;
  /** Before the baseline is made. */
  readonly seed?: string;
  readonly act: string;
  /** The open drift afterwards, names relative to the technique's directory. */
  readonly drift: readonly string[];
  readonly by?: Finder;
  /** Where it is otherwise than `by`, or cannot be done: then why. */
  readonly except?: Partial<Record<Filesystem, Finder | { readonly skip: string }>>;
  /** The script's program holds what it has until its input ends; what comes then is the drift, too. */
  readonly hold?: true;
  /** The state that a coverage record must tell of `d` meanwhile. */
  readonly coverage?: 'covered';
}

/** Without a mark on the whole filesystem: what happens in a directory that no rule covers. */
const OUTSIDE_OF_INODE_MARKS = { overlay: 'sweep', 'btrfs subvolume': 'sweep' } as const;

const OTHER = { skip: '' } as const;
const BTRFS_ONLY = { ext4: OTHER, xfs: OTHER, tmpfs: OTHER, overlay: OTHER } as const;

const F = 'echo seed > f';
const TREE = 'mkdir -p d/sub; for f in 1 2 sub/3; do echo $f > d/$f; done';
const BIG = 'head -c 8192 /dev/zero | tr "\\0" x > f';

export const TECHNIQUES: readonly Technique[] = [
  { name: 'write', seed: F, act: 'echo new > f', drift: ['changed f'] },
  { name: 'append', seed: F, act: 'echo new >> f', drift: ['changed f'] },
  { name: 'O_TRUNC', seed: F, act: ': > f', drift: ['changed f'] },
  { name: 'truncate(2)', seed: F, act: '$T truncate f', drift: ['changed f'] },
  { name: 'create', act: ': > f', drift: ['added f'] },
  { name: 'unlink', seed: F, act: 'rm f', drift: ['removed f'] },
  { name: 'O_TMPFILE, linkat', act: '$T tmpfile-link . f', drift: ['added f'] },
  { name: 'O_TMPFILE, linkat, write', act: '$T tmpfile-link-write . f', drift: ['added f'] },
  { name: 'link', seed: F, act: 'ln f g', drift: ['added g'] },
  {
    name: 'write through a hard link',
    seed: `${F}; mkdir d; ln f g; ln f d/h`,
    act: 'echo new > g',
    drift: ['changed d/h', 'changed f', 'changed g'],
  },
  {
    name: 'write through a hard link outside',
    seed: `${F}; ln f g; ln f $OUT/alias`,
    act: 'echo new > $OUT/alias',
    drift: ['changed f', 'changed g'],
  },
  {
    name: 'write through a hard link outside, made later',
    seed: F,
    act: 'ln f $OUT/late; echo new > $OUT/late',
    drift: ['changed f'],
  },
  {
    name: 'chmod through a hard link outside',
    seed: `${F}; ln f $OUT/mode`,
    act: 'chmod 600 $OUT/mode',
    drift: ['changed f'],
    except: OUTSIDE_OF_INODE_MARKS,
  },
  {
    name: 'chmod through a hard link',
    seed: `${F}; ln f g`,
    act: 'chmod 600 g',
    drift: ['changed f', 'changed g'],
  },
  { name: 'unlink of one of two links', seed: `${F}; ln f g`, act: 'rm g', drift: ['removed g'] },
  { name: 'rename within a directory', seed: F, act: 'mv f g', drift: ['moved f -> g'] },
  { name: 'rename between directories', seed: `${F}; mkdir d`, act: 'mv f d/g', drift: ['moved f -> d/g'] },
  { name: 'rename over', seed: F, act: 'echo new > t; mv t f', drift: ['changed f'] },
  { name: 'rename out', seed: F, act: 'mv f $OUT/f', drift: ['removed f'] },
  { name: 'rename in', seed: 'echo seed > $OUT/in', act: 'mv $OUT/in f', drift: ['added f'] },
  {
    name: 'RENAME_EXCHANGE',
    seed: 'echo 1 > f; echo 22 > g',
    act: '$T exchange f g',
    drift: ['changed f', 'changed g'],
  },
  {
    name: 'RENAME_WHITEOUT',
    seed: F,
    act: '$T whiteout f g',
    drift: ['added g', 'changed f'],
    except: { overlay: { skip: 'EINVAL' } },
  },
  { name: 'directory: mkdir', act: 'mkdir -p d/e; echo 1 > d/e/f', drift: ['added d', 'added d/e', 'added d/e/f'] },
  { name: 'directory: rename', seed: TREE, act: 'mv d e', drift: ['moved d -> e with 4'] },
  {
    name: 'directory: between directories',
    seed: `${TREE}; mkdir p`,
    act: 'mv d p/e',
    drift: ['moved d -> p/e with 4'],
  },
  {
    name: 'directory: moves out',
    seed: TREE,
    act: 'mv d $OUT/d',
    drift: ['removed d', 'removed d/1', 'removed d/2', 'removed d/sub', 'removed d/sub/3'],
  },
  {
    name: 'directory: moves in',
    seed: `(cd $OUT; ${TREE}; mv d in-dir)`,
    act: 'mv $OUT/in-dir d',
    drift: ['added d', 'added d/1', 'added d/2', 'added d/sub', 'added d/sub/3'],
  },
  {
    name: 'directory: rename, then write in it',
    seed: TREE,
    act: 'mv d e; echo new > e/1',
    drift: ['changed d/1 -> e/1', 'moved d -> e with 3'],
  },
  { name: 'directory: chmod', seed: 'mkdir d', act: 'chmod 700 d', drift: ['changed d'] },
  { name: 'symbolic link', seed: 'ln -s a l', act: 'ln -sfn b l', drift: ['changed l'] },
  { name: 'file becomes directory', seed: F, act: 'rm f; mkdir f; : > f/g', drift: ['added f/g', 'changed f'] },
  { name: 'mmap, munmap', seed: F, act: '$T mmap f', drift: ['changed f'] },
  {
    name: 'mmap that is held',
    seed: F,
    act: '$T mmap-hold f',
    drift: ['changed f'],
    by: 'sweep',
    // The mapping is of the file of the upper layer: that of the overlay is closed before the store.
    except: { overlay: 'event' },
    hold: true,
  },
  { name: 'io_uring', seed: F, act: '$T io-uring f', drift: ['changed f'] },
  { name: 'libaio', seed: F, act: '$T libaio f', drift: ['changed f'] },
  { name: 'copy_file_range', seed: `${F}; echo other > g`, act: '$T copy-range f g', drift: ['changed f'] },
  { name: 'hole', seed: BIG, act: '$T hole f', drift: ['changed f'] },
  {
    name: 'bind mount: write',
    seed: F,
    act: 'echo new > $BIND/f',
    drift: ['changed f'],
  },
  { name: 'bind mount: rename', seed: F, act: 'mv $BIND/f $BIND/g', drift: ['moved f -> g'] },
  {
    name: 'other mount namespace',
    seed: F,
    act: "unshare -m sh -c 'echo new > f'",
    drift: ['changed f'],
  },
  { name: 'chmod', seed: F, act: 'chmod 600 f', drift: ['changed f'] },
  { name: 'chown', seed: F, act: 'chown 12:34 f', drift: ['changed f'] },
  { name: 'utimes', seed: F, act: 'touch -d @0 f', drift: ['changed f'] },
  { name: 'extended attribute', seed: F, act: 'setfattr -n trusted.t -v 1 f', drift: ['changed f'] },
  { name: 'ACL', seed: F, act: 'setfacl -m u:12:rw f', drift: ['changed f'] },
  {
    name: 'capabilities',
    seed: F,
    act: 'setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 f',
    drift: ['changed f'],
  },
  { name: 'chattr', seed: F, act: '$T flags f', drift: ['changed f'], by: 'sweep' },
  {
    name: 'btrfs: snapshot appears',
    seed: 'if btrfs -q subvolume create s; then echo 1 > s/f; fi 2> /dev/null || mkdir s',
    act: 'btrfs -q subvolume snapshot s t',
    drift: ['added t', 'added t/f'],
    except: BTRFS_ONLY,
  },
  {
    // Inodes are numbered anew in each subvolume: the same number and name would make it a move to the snapshot above.
    name: 'btrfs: subvolume goes',
    seed: 'if btrfs -q subvolume create s; then : > s/x; rm s/x; echo 1 > s/f; fi 2> /dev/null || mkdir s',
    act: 'btrfs -q subvolume delete s',
    drift: ['removed s', 'removed s/f'],
    except: BTRFS_ONLY,
  },
  {
    name: 'mount over a watched path',
    seed: 'mkdir d; echo hidden > d/f',
    act: 'mount -t tmpfs -o mode=755 over d; echo new > d/g',
    drift: ['added d/g', 'removed d/f'],
    coverage: 'covered',
  },
];
