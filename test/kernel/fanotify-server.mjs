// A program with a Fanotify that others connect to: fanotify-server.mjs ROOT ADDRESS OPTIONS(JSON). Ends with its input.
import { Fanotify, pathFromText } from '../../dist/fanotify/index.js';

const [root, address, json] = process.argv.slice(2);
const { flags, mask, on, listen } = JSON.parse(json);
const fanotify = await Fanotify.open({ flags });
fanotify.mark(pathFromText(root), mask, { on });
fanotify.listen(address, listen);
process.stdout.write('ready\n');
process.stdin.on('end', () => fanotify.stop()).resume();
