// Processes that wait for an answer, answered by this thread.
import * as fan from 'driftline/fanotify';

export interface Asked {
  /** Masks, in the order of the questions. */
  readonly masks: readonly number[];
  /** Of the attempt: 0, or the errno that it failed with. */
  readonly errno: number;
}

/** Answers by `answer` until the attempt is over, which must not need this thread: thread pool, or another process. */
export async function answered(
  group: fan.FanotifyGroup,
  attempt: () => Promise<unknown>,
  answer: (event: fan.FanotifyEvent) => void,
): Promise<Asked> {
  const masks: number[] = [];
  let errno: number | undefined;
  const over = attempt().then(
    () => {
      errno = 0;
    },
    (error: NodeJS.ErrnoException) => {
      errno = Math.abs(error.errno ?? Number.NaN);
    },
  );
  while (errno === undefined) {
    for (const event of group.read()) {
      masks.push(event.mask);
      try {
        answer(event);
      } catch (error) {
        // Nobody may be left waiting.
        group.respond(event, fan.FAN_ALLOW);
        throw error;
      } finally {
        fan.closeEvent(event);
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await over;
  return { masks, errno };
}
