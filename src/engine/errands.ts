// What others ask of a running watch: done between two batches, so that nothing changes the baseline at the same time.
import { AppError } from '../domain/errors.ts';

export interface Errands {
  /** Resolves with what `work` gives when its turn has come; rejects with BUSY once `end` was called. */
  add<T>(work: () => Promise<T>): Promise<T>;
  readonly waiting: number;
  /** One after the other; never rejects. */
  run(): Promise<void>;
  /** From now on nothing is taken: what fails because of the end is BUSY, too. */
  end(): void;
  /** Tells all that still wait that there is nobody to do it. */
  refuse(): void;
}

interface Errand {
  run(): Promise<void>;
  refuse(error: AppError): void;
}

/** `onAdd`: there is something to run. */
export function openErrands(onAdd: () => void): Errands {
  const errands: Errand[] = [];
  let isEnding = false;
  return {
    add: (work) =>
      new Promise((resolve, reject) => {
        if (isEnding) return reject(ending());
        const fail = (error: unknown): void => reject(isEnding ? ending() : error);
        errands.push({ run: () => work().then(resolve, fail), refuse: reject });
        onAdd();
      }),
    get waiting() {
      return errands.length;
    },
    async run() {
      for (const errand of errands.splice(0)) await errand.run();
    },
    end() {
      isEnding = true;
    },
    refuse() {
      for (const errand of errands.splice(0)) errand.refuse(ending());
    },
  };
}

function ending(): AppError {
  return new AppError('BUSY', 'the watch is ending or takes over a new configuration', { hint: 'try again' });
}
