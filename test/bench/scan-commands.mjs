// What scan.mjs measures: driftline, what does its parts, and what one could take instead.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../dist/cli/main.js');
const CORES = availableParallelism();

/** Each with the name of the command that its time is compared with. */
export function ownCommands(tree, scratch) {
  const driftline = `'${process.execPath}' '${MAIN}' --baseline '${join(scratch, 'state/b.db')}'`;
  return [
    { name: 'b3sum', line: `find '${tree}' -xdev -type f -print0 | xargs -0 -P${CORES} b3sum` },
    { name: 'driftline init', line: `${driftline} init --force '${tree}'`, beside: 'b3sum' },
    // What changes on a live /usr meanwhile is drift.
    { name: 'driftline check', line: `${driftline} check`, beside: 'b3sum', statuses: [0, 1, 2, 4, 5, 6, 7] },
    { name: 'find -printf', line: `find '${tree}' -xdev -printf '%p %s %C@ %m\\n'` },
    { name: 'driftline check --quick', line: `${driftline} check --quick`, beside: 'find -printf', statuses: [0, 1, 2, 4, 5, 6, 7] },
  ];
}

/** With nothing in memory: how many requests are in flight decides. */
export function coldCommands(tree, scratch) {
  const check = ownCommands(tree, scratch).find(({ name }) => name === 'driftline check');
  const sum = (jobs) => ({ name: `b3sum, ${jobs} processes`, line: `find '${tree}' -xdev -type f -print0 | xargs -0 -P${jobs} -n64 b3sum --num-threads 1` });
  return [
    sum(CORES),
    sum(CORES * 4),
    { ...check, beside: `b3sum, ${CORES} processes` },
    { ...check, name: `driftline check --jobs ${CORES}`, line: `${check.line} --jobs ${CORES}`, beside: `b3sum, ${CORES} processes` },
  ];
}

/** Integrity checkers of Debian; those that are not installed are left out, and that is said. */
export function peerCommands(tree, scratch) {
  return [...aide(tree, scratch), ...tripwire(tree, scratch), ...integrit(tree, scratch)];
}

const installed = (program) => ['/usr/bin', '/usr/sbin'].some((dir) => existsSync(join(dir, program)));

function aide(tree, scratch) {
  if (!installed('aide')) return missing('aide');
  const at = (name) => join(scratch, name);
  writeFileSync(
    at('aide.conf'),
    `database_in=file:${at('aide.db')}
database_out=file:${at('aide.db.new')}
gzip_dbout=no
num_workers=${CORES}
report_url=file:${at('aide.report')}
${tree} ftype+p+u+g+s+m+n+i+sha256
`,
  );
  return [
    { name: 'aide --init', line: `aide --config='${at('aide.conf')}' --init`, beside: 'driftline init', after: () => renameSync(at('aide.db.new'), at('aide.db')) },
    { name: 'aide --check', line: `aide --config='${at('aide.conf')}' --check`, beside: 'driftline check', statuses: [0, 1, 2, 3, 4, 5, 6, 7] },
  ];
}

function tripwire(tree, scratch) {
  if (!installed('tripwire')) return missing('tripwire');
  const dir = join(scratch, 'tripwire');
  mkdirSync(join(dir, 'report'), { recursive: true });
  const at = (name) => join(dir, name);
  writeFileSync(
    at('config'),
    `ROOT=/usr/sbin
POLFILE=${at('policy')}
DBFILE=${at('db')}
REPORTFILE=${at('report')}/report.twr
SITEKEYFILE=${at('site.key')}
LOCALKEYFILE=${at('local.key')}
EDITOR=/bin/false
SYSLOGREPORTING=false
REPORTLEVEL=1
`,
  );
  // Permissions, inode, links, owner, size, time and SHA-1: the nearest that it has.
  writeFileSync(at('policy.txt'), `${tree} -> +pinugsmS;\n`);
  const config = `--cfgfile '${at('config.signed')}'`;
  for (const line of [
    `twadmin --generate-keys --site-keyfile '${at('site.key')}' --local-keyfile '${at('local.key')}' --site-passphrase x --local-passphrase x`,
    `twadmin --create-cfgfile ${config} --site-keyfile '${at('site.key')}' --site-passphrase x '${at('config')}'`,
    `twadmin --create-polfile ${config} --site-passphrase x '${at('policy.txt')}'`,
  ]) {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
    if (status !== 0) return [{ name: 'tripwire', cannot: `${line.split(' ').slice(0, 2).join(' ')}: ${stdout}${stderr}`.trim() }];
  }
  return [
    { name: 'tripwire --init', line: `tripwire --init --silent ${config} --local-passphrase x`, beside: 'driftline init' },
    { name: 'tripwire --check', line: `tripwire --check --silent ${config}`, beside: 'driftline check', statuses: [0, 1, 2, 3, 4, 5, 6, 7] },
  ];
}

function integrit(tree, scratch) {
  if (!installed('integrit')) return missing('integrit');
  const at = (name) => join(scratch, name);
  writeFileSync(at('integrit.conf'), `root=${tree}\nknown=${at('known.cdb')}\ncurrent=${at('current.cdb')}\n`);
  return [
    { name: 'integrit -u', line: `integrit -C '${at('integrit.conf')}' -u`, beside: 'driftline init', after: () => renameSync(at('current.cdb'), at('known.cdb')) },
    { name: 'integrit -c', line: `integrit -C '${at('integrit.conf')}' -c`, beside: 'driftline check', statuses: [0, 1] },
  ];
}

function missing(program) {
  return [{ name: program, cannot: 'is not installed' }];
}
