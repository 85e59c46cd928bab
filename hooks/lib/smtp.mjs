// One message by SMTP (RFC 5321), with STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4616).
import { connect as connectPlain } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';

/** The server said no; `code` is its answer, 4xx for now and 5xx for good, or 0 when it makes no sense to go on. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * @param server {{ host, port, isTls, startTls: 'auto' | 'always' | 'never', ca, user, password, timeoutMs }}
 * @param mail {{ from, to: string[], message: string }} message with CRLF
 * @throws Refused, or the errors of node:net and node:tls
 */
export async function sendBySmtp(server, mail) {
  const tls = { host: server.host, servername: isAddress(server.host) ? undefined : server.host, ca: server.ca };
  const { port, timeoutMs } = server;
  let wire = openWire(
    server.isTls ? connectTls({ ...tls, port }) : connectPlain({ host: server.host, port }),
    timeoutMs,
  );
  try {
    await wire.expect(220);
    let offers = await greet(wire);
    if (!server.isTls && server.startTls !== 'never' && offers.has('STARTTLS')) {
      await wire.ask('STARTTLS', 220);
      // What came before the handshake has been said by anybody: the new wire begins empty.
      wire = openWire(connectTls({ ...tls, socket: wire.release() }), timeoutMs);
      offers = await greet(wire);
    } else if (!server.isTls && server.startTls === 'always') {
      throw new Refused(0, 'the server offers no STARTTLS');
    }
    if (server.user !== undefined) await logIn(wire, server, offers);
    await wire.ask(`MAIL FROM:<${mail.from}>`, 250);
    for (const recipient of mail.to) await wire.ask(`RCPT TO:<${recipient}>`, 250, 251);
    await wire.ask('DATA', 354);
    await wire.ask(`${mail.message.replace(/^\./gm, '..')}.`, 250);
    // The message is theirs: what becomes of the farewell does not matter.
    await wire.ask('QUIT', 221).catch(() => undefined);
  } finally {
    wire.close();
  }
}

async function greet(wire) {
  const lines = await wire.ask(`EHLO ${hostname().replace(/[^A-Za-z0-9.-]/g, '') || 'localhost'}`, 250);
  return new Map(lines.slice(1).map((line) => [line.split(' ')[0]?.toUpperCase(), line.toUpperCase()]));
}

async function logIn(wire, { user, password = '' }, offers) {
  if (!wire.isEncrypted) throw new Refused(0, 'the password is not sent without TLS');
  if (!/\bPLAIN\b/.test(offers.get('AUTH') ?? '')) throw new Refused(0, 'the server offers no AUTH PLAIN');
  await wire.ask(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`, 235);
}

function isAddress(host) {
  return /^[\d.]+$|:/.test(host);
}

/** Commands and answers, one after the other. */
function openWire(socket, timeoutMs) {
  let heard = '';
  let failure;
  let wake = () => undefined;
  const hear = (chunk) => {
    heard += chunk.toString('latin1');
    wake();
  };
  const end = (error) => {
    failure ??= error ?? new Refused(421, 'the server hung up');
    wake();
  };
  const onClose = () => end();
  const onTimeout = () => socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
  socket.on('data', hear).on('error', end).on('close', onClose).on('timeout', onTimeout).setTimeout(timeoutMs);

  /** The text of each line of the next answer. */
  async function answer() {
    for (;;) {
      const found = /^(?:\d{3}-.*\r?\n)*(\d{3})(?: .*)?\r?\n/.exec(heard);
      if (found !== null) {
        heard = heard.slice(found[0].length);
        return {
          code: Number(found[1]),
          lines: found[0]
            .trimEnd()
            .split(/\r?\n/)
            .map((line) => line.slice(4)),
        };
      }
      if (heard.length > 65_536) throw new Refused(0, 'the server does not speak SMTP');
      if (failure !== undefined) throw failure;
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  }

  async function expect(...codes) {
    const { code, lines } = await answer();
    if (!codes.includes(code)) throw new Refused(code, `${code} ${lines.join(' / ')}`);
    return lines;
  }

  return {
    isEncrypted: socket.encrypted === true,
    expect,
    ask(command, ...codes) {
      socket.write(`${command}\r\n`);
      return expect(...codes);
    },
    /** The socket, for somebody else to listen to. */
    release() {
      socket.setTimeout(0);
      socket.off('data', hear).off('error', end).off('close', onClose).off('timeout', onTimeout);
      return socket;
    },
    close: () => socket.destroy(),
  };
}
