// How much of a walk is done, and how long the rest will take.

/** What there probably is to read. */
export interface Expected {
  readonly entries: number;
  /** Undefined when only some of the content will be read, or nobody knows. */
  readonly bytes: number | undefined;
}

export interface Done {
  readonly entries: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  /** Undefined as long as nobody knows. */
  readonly expected: Expected | undefined;
}

/** To look at a name costs about as much as to read a block of content. */
const NAME_WEIGHT_BYTES = 4096;

/** From 0 to 1; undefined when nobody knows. */
export function shareOf({ entries, bytes, expected }: Done): number | undefined {
  if (expected === undefined) return undefined;
  const content = expected.bytes === undefined ? 0 : bytes;
  const all = expected.entries * NAME_WEIGHT_BYTES + (expected.bytes ?? 0);
  return all === 0 ? undefined : Math.min((entries * NAME_WEIGHT_BYTES + content) / all, 1);
}

/** Milliseconds, if it goes on like this. */
export function leftMs(done: Done): number | undefined {
  const share = shareOf(done);
  return share === undefined || share === 0 ? undefined : (done.elapsedMs / share) * (1 - share);
}

/** Bytes of content per second, since the walk began. */
export function rateOf({ bytes, elapsedMs }: Done): number {
  return bytes / (Math.max(elapsedMs, 1) / 1000);
}
