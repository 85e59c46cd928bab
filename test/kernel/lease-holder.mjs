// Takes a write lease on a file (fcntl(2), F_SETLEASE) and does not give it back when it is asked to.
import { openSync } from 'node:fs';
import koffi from 'koffi';

const fcntl = koffi.load(null).func('int fcntl(int fd, int command, int argument)');
const [F_SETLEASE, F_WRLCK] = [1024, 1];

process.on('SIGIO', () => {});
if (fcntl(openSync(process.argv[2], 'r+'), F_SETLEASE, F_WRLCK) === -1) throw new Error(`errno ${koffi.errno()}`);
process.stdout.write('leased\n');
setTimeout(() => {}, 40_000);
