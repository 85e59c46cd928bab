// alert-mail against a mail server in this process, and through a real sendmail.
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { certify, isInstalled, Place, type Ran, runHook, runHookBeside } from './shipped.ts';
import { type Mail, type SmtpOptions, SmtpServer } from './smtp-server.ts';

const TEXT = `critical changed /etc/new\\nline (digest) by /usr/bin/vi (pid 812)\n.\n..\n-rf $(id) "x" \\x1b[31m\n`;
const certificate = new Place();
let tls: { key: Buffer; cert: Buffer };
let place: Place;
const servers: SmtpServer[] = [];

beforeAll(() => {
  tls = certify(certificate);
  return () => certificate[Symbol.dispose]();
});
beforeEach(() => {
  place = new Place();
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  place[Symbol.dispose]();
});

async function serve(options: SmtpOptions = {}): Promise<{ server: SmtpServer; port: number }> {
  const server = new SmtpServer(options);
  servers.push(server);
  return { server, port: await server.start() };
}

/** The text of the body, decoded. */
function bodyOf({ message }: Pick<Mail, 'message'>): string {
  const [head = '', ...rest] = message.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const text = /^Content-Transfer-Encoding: base64$/m.test(head) ? Buffer.from(body, 'base64').toString() : body;
  return text.replace(/\r\n/g, '\n');
}

async function mail(
  text: string,
  options: SmtpOptions = {},
  settings: Record<string, string | string[]> = {},
): Promise<{ ran: Ran; mails: Mail[] }> {
  const { server, port } = await serve(options);
  const all = {
    TO: 'root@example.org',
    SERVER: `smtp://localhost:${port}`,
    KEY: 'k1',
    SEVERITY: 'critical',
    CHANGED: '4',
    ...settings,
  };
  return { ran: await runHookBeside('alert-mail', text, all), mails: server.mails };
}

test('each line arrives as it is, also one that is a dot', async () => {
  const { ran, mails } = await mail(TEXT, {}, { TO: ['root@example.org', 'ops@example.org'] });
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(mails).toHaveLength(1);
  expect(mails.map(bodyOf)).toEqual([TEXT]);
  const from = `driftline@${hostname()}`;
  expect(mails[0]?.commands.slice(1)).toEqual([
    `MAIL FROM:<${from}>`,
    'RCPT TO:<root@example.org>',
    'RCPT TO:<ops@example.org>',
    'DATA',
  ]);
  expect(mails[0]?.message.split('\r\n\r\n')[0]?.split('\r\n')).toEqual([
    expect.stringMatching(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/),
    `From: ${from}`,
    'To: root@example.org, ops@example.org',
    `Subject: driftline on ${hostname()}: critical, 4 changed`,
    `Message-ID: <driftline.k1@${hostname()}>`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 7bit',
  ]);
});

test('names beyond ASCII, and lines beyond 998 bytes', async () => {
  const text = `normal added /srv/\u00fcml\u00e4ut \u{1f600}\nnormal added /${'n'.repeat(5000)}\n`;
  const { ran, mails } = await mail(
    Buffer.from(text).toString('latin1'),
    {},
    { SUBJECT: `\u00fc ${'\u{1f600}'.repeat(30)}` },
  );
  expect(ran.status).toBe(0);
  expect(mails.map(bodyOf)).toEqual([text]);
  expect(mails[0]?.message).toMatch(/^[\r\n -~]*$/);
  expect(Math.max(...(mails[0]?.message.split('\r\n') ?? []).map((line) => line.length))).toBeLessThanOrEqual(78);
});

test('more lines than the limit are counted', async () => {
  const { mails } = await mail('a\nb\nc\n', {}, { LIMIT: '2' });
  expect(mails.map(bodyOf)).toEqual(['a\nb\nand 1 more\n']);
});

test('STARTTLS is used when it is offered, with a password after it', async () => {
  writeFileSync(place.aside('password'), 's3cret\n');
  const settings = { CA: certificate.aside('cert.pem'), USER: 'me', PASSWORD_FILE: place.aside('password') };
  const { ran, mails } = await mail(TEXT, { tls }, settings);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(mails).toMatchObject([{ isEncrypted: true }]);
  expect(mails[0]?.commands).toContain(`AUTH PLAIN ${Buffer.from('\0me\0s3cret').toString('base64')}`);
});

test.each([
  ['a password without TLS', {}, { USER: 'me' }],
  ['no STARTTLS where it must be', {}, { STARTTLS: 'always' }],
  ['a refused recipient', { answers: { RCPT: '550 who?' } }, {}],
  ['a refused message', { answers: { '.': '554 no' } }, {}],
])('for good: %s', async (_case, options, settings) => {
  expect((await mail(TEXT, options, settings)).ran.status).toBe(1);
});

test.each([
  ['a full mailbox', { answers: { RCPT: '452 full' } }, {}],
  ['a server that ends', { answers: { MAIL: '421 bye' } }, {}],
  ['a certificate that nobody knows', {}, { CA: '' }],
  ['a server that is not there', {}, { SERVER: 'smtp://127.0.0.1:9' }],
  ['a server that says nothing', { answers: { EHLO: '250-' } }, { SECONDS: '1' }],
])('not now: %s', async (name, options, settings) => {
  const { ran, mails } = await mail(TEXT, name.includes('certificate') ? { tls } : options, settings);
  expect(ran.status).toBe(75);
  expect(mails).toEqual([]);
});

describe.skipIf(!isInstalled('msmtp'))('sendmail (needs msmtp)', () => {
  const sendmail = async (...more: string[]) => {
    const { server, port } = await serve();
    writeFileSync(place.aside('conf'), `account default\nhost localhost\nport ${port}\n`, { mode: 0o600 });
    const ran = await runHookBeside('alert-mail', TEXT, {
      TO: ['root@example.org', 'ops@example.org'],
      FROM: 'me@example.org',
      SENDMAIL: ['msmtp', '-C', place.aside('conf'), '-i', ...more],
    });
    return { ran, mails: server.mails };
  };

  test('gets recipients as arguments and the message on its input', async () => {
    const { ran, mails } = await sendmail();
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(mails.map(bodyOf)).toEqual([TEXT]);
    expect(mails[0]?.commands.join('|')).toMatch(/MAIL FROM:<me@example.org>.*<root@example.org>.*<ops@example.org>/);
  });

  test('its failures are failures', async () => {
    expect((await sendmail('--no-such-option')).ran.status).toBe(1);
    expect(runHook('alert-mail', TEXT, { TO: 'root', SENDMAIL: ['sh', '-c', 'exit 75'] }).status).toBe(75);
    expect(runHook('alert-mail', TEXT, { TO: 'root', SENDMAIL: ['/nonexistent'] }).status).toBe(64);
  });
});

test.each([
  ['nobody to send to', { TO: '' }],
  ['a recipient that is an option', { TO: '-oQ/tmp' }],
  ['a header in the recipient', { TO: 'a\r\nBcc: b' }],
  ['a header in the subject', { TO: 'root', SUBJECT: 'a\nBcc: b' }],
  ['a command in the sender', { TO: 'root', FROM: 'a> SIZE=1' }],
  ['another protocol', { TO: 'root', SERVER: 'http://localhost/' }],
])('wrong use: %s', (_case, settings) => {
  expect(runHook('alert-mail', TEXT, { SENDMAIL: ['false'], ...settings }).status).toBe(64);
});

test('nothing drifted: no mail', () => {
  expect(runHook('alert-mail', '', { TO: 'root', SENDMAIL: ['false'] }).status).toBe(0);
});
