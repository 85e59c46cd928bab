// Whether a watch still does its work: a sign of life for the service manager means that reader, hashing threads and the thread
// that compares and commits each got on since the last one, not that some timer fires.

export interface HealthSigns {
  /** Grows as long as the reader works, whether there is something to read or not. */
  reader(): number;
  /** Grows with every byte that is hashed. */
  bytesHashed(): number;
  /** Grows with every step of comparing and committing. */
  steps(): number;
  /** There is something to compare or to commit that should have been done by now. */
  isBusy(): boolean;
}

/** Each call tells whether everything got on since the last call that said so. */
export function openHealth(signs: HealthSigns): () => boolean {
  let reader = -1;
  let work = '';
  return () => {
    const now = { reader: signs.reader(), work: `${signs.bytesHashed()} ${signs.steps()}` };
    if (now.reader === reader || (signs.isBusy() && now.work === work)) return false;
    [reader, work] = [now.reader, now.work];
    return true;
  };
}
