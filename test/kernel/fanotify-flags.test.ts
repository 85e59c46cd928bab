// Every flag of groups and marks on the kernel, one scenario each (fanotify_init(2), fanotify_mark(2)).
import { beforeEach, describe, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { GROUP_FLAGS } from './matrix/group-flags.ts';
import { MARK_FLAGS } from './matrix/mark-flags.ts';

beforeEach(needCapabilities);

describe('fanotify_init', () => {
  test.for(Object.entries(GROUP_FLAGS))('%s', ([, scenario]) => scenario());
});

describe('fanotify_mark', () => {
  test.for(Object.entries(MARK_FLAGS))('%s', ([, scenario]) => scenario());
});
