// V8's heaps in a process that lives long and is busy only now and then. Left alone, V8 keeps what a busy time made a heap grow to: it
// collects what is garbage when it needs room, and who does nothing needs none.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Collector {
  /** Frees what is garbage by now, in 10 to 100 ms. */
  all(): void;
  /** Of what was made since the last collection, in a millisecond or so. */
  young(): void;
}

type Collect = (options?: { readonly type: 'minor' }) => void;

/** For the heap of this thread. */
export function openCollector(): Collector {
  let known: Collect | undefined;
  const collect: Collect = (options) => {
    known ??= findCollect();
    known?.(options);
  };
  return { all: () => collect(), young: () => collect({ type: 'minor' }) };
}

/**
 * The function that `node --expose-gc` has; the option alone is of no use to a program that is started without it. Options are those of
 * all threads: when another one takes this back in the same moment there is none, and whoever asks again will have it.
 */
function findCollect(): Collect | undefined {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : undefined;
}

/**
 * V8 lets a heap grow to up to four times what is alive before it looks for garbage. With a third instead, a storm's peak is 80 MiB lower,
 * for no more processor time than two runs of it differ by.
 */
const GROWS_LESS = '--heap-growing-percent=30';

/**
 * For all threads, from now on. To be called when all modules are loaded: with any option that differs from those that Node was built
 * with, V8 does not use the compiled form of Node's own modules, which costs each thread that begins 40 ms.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString(GROWS_LESS);
}
