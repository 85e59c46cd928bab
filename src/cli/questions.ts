// Questions on standard error, answers from standard input, whether that is a terminal or a pipe.
import { createInterface } from 'node:readline';

export interface Questions {
  /** The next line in lower case; undefined when there is none any more. */
  ask(question: string): Promise<string | undefined>;
  close(): void;
}

export function openQuestions(): Questions {
  const lines = createInterface({ input: process.stdin, terminal: false });
  // Asked for at once: lines that come before their question are kept, question() of readline/promises would drop them.
  const answers = lines[Symbol.asyncIterator]();
  return {
    async ask(question) {
      process.stderr.write(question);
      const { done, value } = await answers.next();
      return done ? undefined : value.trim().toLowerCase();
    },
    close: () => lines.close(),
  };
}
