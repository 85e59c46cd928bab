// Whether all events of changes before a moment have been posted: asked by the main thread, answered by the reader.
import { ASKED, HELD, type ReaderMessage } from './messages.ts';

export class Questions {
  readonly #control: Int32Array;
  readonly #post: (message: ReaderMessage) => void;
  #answered = 0;

  constructor(control: Int32Array, post: (message: ReaderMessage) => void) {
    this.#control = control;
    this.#post = post;
  }

  /** The last question, to be taken before the queues are looked at. */
  last(): number {
    return Atomics.load(this.#control, ASKED);
  }

  /** It waits for nothing but a look at the queues. */
  isOpen(question: number): boolean {
    return question !== this.#answered && Atomics.load(this.#control, HELD) === 0;
  }

  /** `isEmpty`: the queues were found empty since `question` was taken, and what they held is posted or held back. */
  answer(question: number, isEmpty: boolean): void {
    if (!isEmpty || !this.isOpen(question)) return;
    this.#answered = question;
    this.#post({ kind: 'settled', question });
  }
}
