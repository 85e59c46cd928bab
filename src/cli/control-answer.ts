// What a running watch answers on its control socket.
import { runErrand } from '../engine/hook-errand.ts';
import { recordWriter } from '../report/record-writer.ts';
import { systemClock } from './clock.ts';
import { summaryOf } from './commands/accept.ts';
import type { ControlRequest } from './control-protocol.ts';
import { newId } from './identity.ts';
import { answerQuickly } from './quick-answer.ts';
import { watchStatus } from './status.ts';

/** Plain JSON. Throws what goes to the asker. */
export async function answer(request: ControlRequest, parts: Parameters<typeof watchStatus>[0]): Promise<unknown> {
  const { session, store } = parts;
  switch (request.op) {
    case 'status':
      return watchStatus(parts);
    case 'quick':
      return answerQuickly(session, request.scope);
    case 'accept':
      return summaryOf(await session.watch.accept(request.request));
    case 'hook':
      return runErrand({ store, records: recordWriter, newId, clock: systemClock }, session.trigger, request.errand);
  }
}
