// Every event bit on the kernel, one scenario each (fanotify_mark(2), "mask").
import { beforeEach, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { MASK_BITS } from './matrix/mask-bits.ts';

beforeEach(needCapabilities);

test.for(Object.entries(MASK_BITS))('%s', ([, scenario]) => scenario());
