// Mails what drifted; ../alert-mail says what it reads and how it ends.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { makeMessage } from './message.mjs';
import {
  EX_IOERR,
  EX_TEMPFAIL,
  fail,
  listSetting,
  numberSetting,
  readInput,
  secretSetting,
  setting,
  tell,
} from './settings.mjs';
import { Refused, sendBySmtp } from './smtp.mjs';

const PORTS = { 'smtp:': 25, 'smtps:': 465 };

const host = hostname();
const to = listSetting('TO').map((address) => oneLine('TO', address));
const from = oneLine('FROM', setting('FROM', `driftline@${host}`));
if (to.length === 0) fail('DRIFTLINE_TO is not set');
for (const address of [from, ...to]) {
  if (address === '' || /^-|[<>\s,]/.test(address)) fail(`${JSON.stringify(address)} is no plain address`);
}
const server = setting('SERVER') === undefined ? undefined : parseServer(setting('SERVER'));
const lines = readInput()
  .toString('utf8')
  .split('\n')
  .filter((line) => line !== '');
if (lines.length > 0) process.exitCode = await send();

function oneLine(key, text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  return /[\x00-\x1f\x7f]/.test(text) ? fail(`DRIFTLINE_${key} has control characters`) : text;
}

function parseServer(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const port = url === undefined ? undefined : PORTS[url.protocol];
  if (url === undefined || port === undefined || url.hostname === '')
    return fail('DRIFTLINE_SERVER is no smtp:// or smtps://');
  const startTls = setting('STARTTLS', 'auto');
  if (!['auto', 'always', 'never'].includes(startTls))
    return fail('DRIFTLINE_STARTTLS is none of auto, always and never');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? port : Number(url.port),
    isTls: url.protocol === 'smtps:',
    startTls,
    ca: readCertificates(setting('CA')),
    user: setting('USER'),
    password: secretSetting('PASSWORD_FILE'),
    timeoutMs: numberSetting('SECONDS', 60) * 1000,
  };
}

function readCertificates(file) {
  try {
    return file === undefined ? undefined : readFileSync(file);
  } catch (error) {
    return fail(`DRIFTLINE_CA: ${error.message}`, EX_IOERR);
  }
}

function send() {
  const message = makeMessage({
    from,
    to,
    subject: oneLine('SUBJECT', setting('SUBJECT', defaultSubject())),
    date: new Date(),
    id: `${idOf()}@${host}`,
    lines: shortened(),
  });
  return server === undefined ? sendBySendmail(message) : sendByServer(message);
}

function defaultSubject() {
  const counts = ['added', 'removed', 'changed', 'moved', 'resolved'].flatMap((kind) => {
    const count = numberSetting(kind.toUpperCase(), 0);
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  return `driftline on ${host}: ${[setting('SEVERITY', 'drift'), ...counts].join(', ')}`;
}

function idOf() {
  const key = setting('KEY');
  return key !== undefined && /^[A-Za-z0-9._-]+$/.test(key)
    ? `driftline.${key}`
    : `driftline.${createHash('sha256').update(lines.join('\n')).update(String(Date.now())).digest('hex').slice(0, 32)}`;
}

function shortened() {
  const limit = numberSetting('LIMIT', 1000);
  return lines.length > limit ? [...lines.slice(0, limit), `and ${lines.length - limit} more`] : lines;
}

function sendBySendmail(message) {
  const given = listSetting('SENDMAIL');
  const [program, ...args] = given.length === 0 ? ['/usr/sbin/sendmail', '-i'] : given;
  const ran = spawnSync(program, [...args, '-f', from, '--', ...to], {
    input: message.replace(/\r\n/g, '\n'),
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  // EPIPE: it ended without reading all; its exit code says why.
  if (ran.error !== undefined && ran.error.code !== 'EPIPE') return fail(`${program}: ${ran.error.code}`);
  if (ran.status === 0) return 0;
  tell(`${program} ended with ${ran.status ?? ran.signal}`);
  return ran.status === EX_TEMPFAIL ? EX_TEMPFAIL : 1;
}

async function sendByServer(message) {
  try {
    await sendBySmtp(server, { from, to, message });
    return 0;
  } catch (error) {
    tell(error.message);
    if (!(error instanceof Refused)) return EX_TEMPFAIL;
    return error.code >= 400 && error.code < 500 ? EX_TEMPFAIL : 1;
  }
}
