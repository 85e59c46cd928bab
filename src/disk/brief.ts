// Compiling for a process that runs for seconds.
import { setFlagsFromString } from 'node:v8';

/**
 * Half a second of a check of /usr went into optimizing each hot function of each worker with all that it calls, a few times over:
 * a seventh of all processor time. Inlining less takes a third off that, and the code is as fast.
 */
const INLINED_MAX = 300;

/**
 * For all threads of the process from now on. Called when a worker has loaded its modules: with any option that differs from those that
 * Node was built with, V8 does not use the compiled form of Node's own modules, which costs 40 ms for each thread.
 */
export function compileBriefly(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${INLINED_MAX}`);
}
