// Loaded before the program by profile.mjs: the worker threads are profiled, too.
import workerThreads from 'node:worker_threads';
import { syncBuiltinESMExports } from 'node:module';

const { Worker } = workerThreads;
const options = process.execArgv.filter((option) => option.startsWith('--cpu-prof'));
workerThreads.Worker = class extends Worker {
  constructor(file, given) {
    super(file, { ...given, execArgv: options });
  }
};
syncBuiltinESMExports();
