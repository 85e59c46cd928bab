// Opens every file of a directory and prints those whose verdict is not what their name says.
import { closeSync, openSync, readdirSync } from 'node:fs';

const [dir] = process.argv.slice(2);
const wrong = [];
let opened = 0;
for (const name of readdirSync(dir)) {
  let verdict = 'ok';
  try {
    closeSync(openSync(`${dir}/${name}`, 'r'));
  } catch (error) {
    verdict = error.code;
  }
  opened += 1;
  if (verdict !== (name.startsWith('deny') ? 'EPERM' : 'ok')) wrong.push(`${name}: ${verdict}`);
}
process.stdout.write(JSON.stringify({ opened, wrong }));
