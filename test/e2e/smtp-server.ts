// A mail server that takes whatever comes and remembers it; it can be told to refuse.

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export interface Mail {
  readonly commands: readonly string[];
  /** As it came, without the dots that were added for transport; latin1 text with CRLF. */
  readonly message: string;
  readonly isEncrypted: boolean;
}

export interface SmtpOptions {
  /** The answer to commands that begin with this word, instead of the usual one. */
  readonly answers?: Readonly<Record<string, string>>;
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
}

export class SmtpServer {
  readonly mails: Mail[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: SmtpOptions = {}) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
      socket.write('220-mail.test\r\n220 ready\r\n');
      converse(socket, options, this.mails);
    });
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function converse(socket: Socket, { answers = {}, tls }: SmtpOptions, mails: Mail[]): void {
  const commands: string[] = [];
  const isEncrypted = socket instanceof TLSSocket;
  let heard = '';
  let inMessage = false;
  const usual: Record<string, string> = {
    EHLO: `250-mail.test\r\n${tls !== undefined && !isEncrypted ? '250-STARTTLS\r\n' : ''}250 AUTH LOGIN PLAIN`,
    DATA: '354 go on',
    AUTH: '235 welcome',
    QUIT: '221 bye',
    STARTTLS: '220 go on',
  };
  const listener = (chunk: Buffer): void => {
    heard += chunk.toString('latin1');
    for (;;) {
      const end = heard.indexOf(inMessage ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      if (inMessage) {
        const message = heard.slice(0, end + 2).replace(/^\.\./gm, '.');
        heard = heard.slice(end + 5);
        inMessage = false;
        mails.push({ commands: [...commands], message, isEncrypted });
        socket.write(`${answers['.'] ?? '250 taken'}\r\n`);
        continue;
      }
      const line = heard.slice(0, end);
      heard = heard.slice(end + 2);
      commands.push(line);
      const word = /^\w+/.exec(line)?.[0].toUpperCase() ?? '';
      const answer = answers[word] ?? usual[word] ?? '250 ok';
      inMessage = answer.startsWith('354');
      socket.write(`${answer}\r\n`);
      if (answer.startsWith('421')) socket.end();
      if (word === 'STARTTLS' && tls !== undefined) {
        socket.off('data', listener);
        const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) });
        secure.on('error', () => undefined);
        converse(secure, { answers, tls }, mails);
        return;
      }
    }
  };
  socket.on('data', listener);
}
