// The text is what Linux 6.18 wrote for groups with these marks.
import { expect, test } from 'vitest';
import { parseMarks } from '../../../src/fanotify/fdinfo.ts';

const FDINFO = `pos:	0
flags:	02
mnt_id:	17
ino:	1039
fanotify flags:200 event-flags:8000
fanotify ino:13 sdev:fe00001 mflags:200 mask:8 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:13000000e9000000
fanotify sdev:fe00000 mflags:0 mask:8000008 ignored_mask:0
fanotify ino:ffffffffffffffff sdev:2b mflags:440 mask:0 ignored_mask:8
fanotify mnt_id:1b mflags:0 mask:8 ignored_mask:0
fanotify mnt_ns:4026531832 mflags:0 mask:3000000 ignored_mask:0
fanotify something:1 mflags:0 mask:1 ignored_mask:0
`;

test('marks of every kind, and none of a kind that is not known', () => {
  const masks = { flags: 0, mask: 8, ignoredMask: 0 };
  expect(parseMarks(FDINFO)).toEqual([
    {
      kind: 'inode',
      ino: 0x13n,
      device: '254:1',
      handle: '\x08\0\0\0\x01\0\0\0\x13\0\0\0\xe9\0\0\0',
      ...masks,
      flags: 0x200,
    },
    { kind: 'filesystem', device: '254:0', ...masks, mask: 0x8000008 },
    {
      kind: 'inode',
      ino: 2n ** 64n - 1n,
      device: '0:43',
      handle: undefined,
      flags: 0x440,
      mask: 0,
      ignoredMask: 8,
    },
    { kind: 'mount', mountId: 27, ...masks },
    { kind: 'mountNamespace', ino: 4026531832n, ...masks, mask: 0x3000000 },
  ]);
  expect(parseMarks('')).toEqual([]);
});
