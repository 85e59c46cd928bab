// Posts drift records to a web address; ../alert-webhook says what it reads and how it ends.
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { hostname } from 'node:os';
import { countKinds, countText, describeAll, highestSeverity, readRecords } from './records.mjs';
import { EX_IOERR, EX_TEMPFAIL, fail, listSetting, numberSetting, secretSetting, setting, tell } from './settings.mjs';

/** ntfy makes an attachment of what is longer; Slack cuts at 40,000 characters. */
const NTFY_BYTES = 4096;
const SLACK_CHARACTERS = 30_000;
/** Temporary, as RFC 9110 and RFC 6585 have it; 5xx as well. */
const AGAIN = new Set([408, 425, 429]);

/** Codes of X509_verify_cert_error_string(3) and of Node's own check of the name. */
const CERTIFICATE = /CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|HOSTNAME_MISMATCH/;

const SHAPES = {
  json(records) {
    const limit = numberSetting('LIMIT', 1000);
    const document = {
      v: 1,
      type: 'drifts',
      host: hostname(),
      hook: setting('HOOK'),
      key: setting('KEY'),
      severity: highestSeverity(records),
      counts: countKinds(records),
      drifts: records.slice(0, limit),
      omitted: Math.max(0, records.length - limit),
    };
    return { type: 'application/json', body: JSON.stringify(document) };
  },
  slack(records) {
    const text = [title(records), ...describeAll(records, numberSetting('LIMIT', 20))].join('\n');
    // These three are all that Slack asks to escape: without them there is no <!channel> and no link.
    const escaped = cut(text, SLACK_CHARACTERS).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
    return { type: 'application/json', body: JSON.stringify({ text: escaped, mrkdwn: false }) };
  },
  ntfy(records) {
    const lines = describeAll(records, numberSetting('LIMIT', 20));
    const priority = { critical: '5', normal: '3', info: '2' }[highestSeverity(records)];
    const headers = { Title: title(records), Priority: priority, Tags: 'driftline' };
    return { type: 'text/plain; charset=utf-8', body: cutBytes(lines.join('\n'), NTFY_BYTES), headers };
  },
};

const url = parseUrl(setting('URL') ?? secretSetting('URL_FILE'));
const shape = Object.hasOwn(SHAPES, setting('SHAPE', 'json')) ? SHAPES[setting('SHAPE', 'json')] : undefined;
if (shape === undefined) fail('DRIFTLINE_SHAPE is none of json, slack and ntfy');
const records = readRecords();
if (records.length > 0) process.exitCode = await post(shape(records));

function parseUrl(text) {
  if (text === undefined) return fail('neither DRIFTLINE_URL nor DRIFTLINE_URL_FILE is set');
  if (!URL.canParse(text) || !/^https?:\/\//.test(text)) return fail('the address is none of http:// or https://');
  return new URL(text);
}

/** ASCII: it may be a header. */
function title(of) {
  return `driftline on ${hostname()}: ${highestSeverity(of)}, ${countText(of)}`.replace(/[^ -~]/g, '?');
}

function cut(text, characters) {
  return text.length > characters ? `${text.slice(0, characters - 3)}...` : text;
}

function cutBytes(text, bytes) {
  const all = Buffer.from(text);
  // A character that is cut in two is left out.
  return all.length > bytes
    ? `${new TextDecoder().decode(all.subarray(0, bytes - 6)).replace(/\ufffd$/, '')}...`
    : text;
}

async function post({ type, body, headers = {} }) {
  const token = secretSetting('TOKEN_FILE');
  const options = {
    method: 'POST',
    headers: {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'User-Agent': 'driftline',
      ...(setting('KEY') === undefined ? {} : { 'Idempotency-Key': setting('KEY') }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...headers,
      ...moreHeaders(),
    },
    ...(setting('CA') === undefined ? {} : { ca: readCertificates(setting('CA')) }),
    signal: AbortSignal.timeout(numberSetting('SECONDS', 30) * 1000),
  };
  try {
    const { status, text } = await exchange(options, body);
    if (status >= 200 && status < 300) return 0;
    tell(`${status} ${JSON.stringify(text)}`);
    return AGAIN.has(status) || status >= 500 ? EX_TEMPFAIL : 1;
  } catch (error) {
    if (error.code === 'ERR_INVALID_CHAR' || error.code === 'ERR_INVALID_HTTP_TOKEN') fail(error.message);
    // The address stays untold: it may be a secret.
    if (CERTIFICATE.test(error.code)) {
      tell(`the certificate of the other side is not trusted: ${error.code}; DRIFTLINE_CA may name one that is`);
      return 1;
    }
    tell(`no answer: ${error.code ?? error.name}`);
    return EX_TEMPFAIL;
  }
}

function moreHeaders() {
  const pairs = listSetting('HEADERS').map(
    (line) => /^([^\s:]+):\s*(.*)$/s.exec(line) ?? fail('a header is no "Name: value"'),
  );
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
}

function readCertificates(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    return fail(`DRIFTLINE_CA: ${error.message}`, EX_IOERR);
  }
}

/** The status, and the first 200 bytes of the answer. */
function exchange(options, body) {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const sent = request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        if (text.length < 200) text = (text + chunk).slice(0, 200);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
