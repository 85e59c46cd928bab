// Whose doing a change is: a pid that a hook had belongs to somebody else later.
import { accessSync, constants, readFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { aside, configureHook, site, siteForEach } from './site-for-each.ts';

/** ns_last_pid of proc_sys_kernel(5): the next process gets the number after the one that is written there. */
const LAST_PID = '/proc/sys/kernel/ns_last_pid';

siteForEach();
beforeEach((context) => {
  try {
    accessSync(LAST_PID, constants.W_OK);
  } catch {
    context.skip(`${LAST_PID} cannot be written`);
  }
});

test('what somebody does who has the pid of a run that ended is news to the hook', async () => {
  const got = aside('got');
  configureHook({
    run: [
      'sh',
      '-c',
      'echo $$ >>"$DRIFTLINE_FILE"; echo $DRIFTLINE_RUN_ID >"$DRIFTLINE_ROOT/own"; exec cat >>"$DRIFTLINE_FILE"',
    ],
    with: { file: got, root: site.root },
  });
  const daemon = await site.begin();
  site.shell('ln -s x first');
  await daemon.said(/hook it: ok/);
  await daemon.settled();
  const [pid] = readFileSync(got, 'latin1').split('\n');
  // Others fork, too: again until it was hit. Who it is, is read from /proc: it lives until somebody has looked.
  const mine = `[ "$BASHPID" = ${pid} ] && echo somebody >stranger && sleep 2`;
  site.shell(`until [ -e stranger ]; do (echo ${Number(pid) - 1} >${LAST_PID}; (${mine}) || :) & wait; done`);
  await daemon.until('a run for it', () => readFileSync(got, 'latin1').includes(`${site.path('stranger')}\0`));
  await daemon.settled();
  expect(readFileSync(got, 'latin1')).not.toContain(`${site.path('own')}\0`);
});
