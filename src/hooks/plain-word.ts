// Text in the environment of a hook: ASCII without spaces, everything else percent-encoded.

export function plainWord(text: string): string {
  return [...Buffer.from(text, 'utf8')].map(plainChar).join('');
}

function plainChar(byte: number): string {
  const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
  return plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
