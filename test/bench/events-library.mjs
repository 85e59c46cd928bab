// The library as a program of its own would use it, for events.mjs: names and paths of all events, and when they came.
import { writeFileSync } from 'node:fs';
import * as fanotify from '../../dist/fanotify/index.js';

const [directory, into, events] = process.argv.slice(2);
const root = fanotify.pathFromText(directory);
const group = fanotify.FanotifyGroup.open({ flags: fanotify.FAN_REPORT_DFID_NAME });
group.mark(fanotify.FAN_MARK_FILESYSTEM, fanotify.FAN_CLOSE_WRITE, root);
const resolver = new fanotify.PathResolver([root]);

/** Reading the clock for each event would be the clock's price. */
const CLOCK_EVENTS = 32;

let paths = [];
let arrived = [];
let overflows = 0;
let cpu = process.cpuUsage();
let round = -1;
process.stdout.write('started\n');
for await (const batch of group.events({ resolver })) {
  let count = 0;
  let now = 0;
  for (const event of batch) {
    if (event.kind === 'overflow') overflows += 1;
    const path = batch.pathsOf(event).paths[0];
    if (count % CLOCK_EVENTS === 0) now = performance.now();
    count += 1;
    paths.push(path);
    arrived.push(now);
    if (path?.startsWith('/end', directory.length)) end(Number(path.slice(directory.length + 4)));
  }
}

function end(number) {
  if (number === round) return;
  round = number;
  const { user, system } = process.cpuUsage(cpu);
  // performance.now() counts from a moment of the same clock that hrtime has.
  const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  const times = new Float64Array(Number(events));
  paths.forEach((path, at) => {
    const index = path === undefined ? -1 : Number(path.slice(path.lastIndexOf('/') + 2));
    if (path?.[path.lastIndexOf('/') + 1] === 'f') times[index] = (arrived[at] + offset) * 1e6;
  });
  writeFileSync(into, times);
  process.stdout.write(`${JSON.stringify({ round, cpuUs: user + system, overflows })}\n`);
  paths = [];
  arrived = [];
  overflows = 0;
  cpu = process.cpuUsage();
}
