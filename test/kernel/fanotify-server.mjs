// A program with a Fanotify that others connect to: fanotify-server.mjs ROOT ADDRESS OPTIONS(JSON). Each line of input is
// a script that it runs as its child; it ends with its input.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Fanotify, pathFromText } from '../../dist/fanotify/index.js';

const [root, address, json] = process.argv.slice(2);
const { flags, ignoreOwn, mask, on, listen } = JSON.parse(json);
const fanotify = await Fanotify.open({ flags, ignoreOwn });
fanotify.mark(pathFromText(root), mask, { on });
fanotify.listen(address, listen);
process.stdout.write('ready\n');
const children = [];
createInterface({ input: process.stdin })
  .on('line', (script) => children.push(spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'inherit'] })))
  .on('close', () => {
    for (const child of children) child.stdin.end();
    void fanotify.stop();
  });
