// Every info record and every part of an answer on the kernel, one scenario each (fanotify(7)).
import { beforeEach, describe, test } from 'vitest';
import { needCapabilities } from './capability.ts';
import { RECORDS } from './matrix/records.ts';
import { RESPONSES } from './matrix/responses.ts';

beforeEach(needCapabilities);

describe('info records', () => {
  test.for(Object.entries(RECORDS))('%s', ([, scenario]) => scenario());
});

describe('answers', () => {
  test.for(Object.entries(RESPONSES))('%s', ([, scenario]) => scenario());
});
