// Who asks a watch what differs, while something goes wrong or ends.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../../src/domain/errors.ts';
import type { Disk } from '../../../src/engine/ports/disk.ts';
import { entry } from '../../fakes/entry.ts';
import { Ground } from './ground.ts';
import { event, Watching } from './watching.ts';

let ground: Ground;
let watching: Watching;
/** What comes before each reading. */
let before: () => Promise<void>;

beforeEach(async () => {
  ground = new Ground();
  await ground.start(entry('/r/a'));
  before = () => Promise.resolve();
  const { read } = ground.disk;
  const late: Disk['read'] = (...wanted) => before().then(() => read(...wanted));
  Object.assign(ground.disk, { read: late });
  watching = new Watching(ground);
  await watching.begin();
});
afterEach(() => ground.close());

test('what fails then ends the watch: what was taken would be forgotten', async () => {
  before = () => Promise.reject(new AppError('IO', 'planted'));
  watching.source.say(event('/r/a'));
  await watching.clock.advance(0);
  const suspects = watching.watch.suspects();
  const ended = watching.stopped;
  await Promise.all([
    expect(suspects).rejects.toThrow('planted'),
    expect(ended).rejects.toThrow('planted'),
    watching.clock.advance(0),
  ]);
});

test('a watch that ends in the middle of it does not know', async () => {
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  let goOn = (): void => {};
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  before = () => {
    begin();
    return gate;
  };
  // More than what is compared together.
  watching.source.say(...Array.from({ length: 1_500 }, (_, n) => event(`/r/${n}`)));
  await watching.clock.advance(0);
  const suspects = watching.watch.suspects();
  await watching.clock.advance(0);
  await begun;
  const stopped = watching.stop();
  goOn();
  expect(await suspects).toMatchObject({ kind: 'unsure', reason: 'it is ending' });
  await stopped;
});
