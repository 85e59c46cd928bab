// A mail message of plain text (RFC 5322, RFC 2045).

const LINE_BYTES = 998;

/** With CRLF at the ends of lines. `id` is unique for what is said; `lines` may hold anything but line ends. */
export function makeMessage({ from, to, subject, date, id, lines }) {
  const isPlain = lines.every((line) => /^[ -~\t]*$/.test(line) && line.length <= LINE_BYTES);
  const headers = [
    `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
    `From: ${from}`,
    `To: ${to.join(', ')}`,
    `Subject: ${encodeWord(subject)}`,
    `Message-ID: <${id}>`,
    // RFC 3834: no answer from people who are away.
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${isPlain ? '7bit' : 'base64'}`,
  ];
  const body = isPlain ? lines : base64Lines(lines.join('\r\n'));
  return `${[...headers, '', ...body].join('\r\n')}\r\n`;
}

/** RFC 2047, in words of at most 75 characters. */
function encodeWord(text) {
  if (/^[ -~]{0,900}$/.test(text)) return text;
  const words = [''];
  for (const character of text) {
    if (Buffer.byteLength(`${words.at(-1)}${character}`) > 42) words.push('');
    words.push(`${words.pop()}${character}`);
  }
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

function base64Lines(text) {
  return (
    Buffer.from(`${text}\r\n`)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  );
}
