// Records as lines of JSON: what the engine journals.
import type { RecordWriter } from '../engine/ports/record-writer.ts';
import { jsonText } from './json-text.ts';
import {
  acceptJson,
  alertJson,
  coverageRecordJson,
  driftJson,
  gapJson,
  lifecycleJson,
  overflowJson,
  releaseJson,
  resolvedJson,
  runJson,
  sweepJson,
} from './record.ts';

/** Pure; lines come without a newline. */
export const recordWriter: RecordWriter = {
  drift: (record) => jsonText(driftJson(record)),
  resolved: (fields) => jsonText(resolvedJson(fields)),
  accept: (fields) => jsonText(acceptJson(fields)),
  run: (fields) => jsonText(runJson(fields)),
  alert: (fields) => jsonText(alertJson(fields)),
  release: (fields) => jsonText(releaseJson(fields)),
  overflow: (fields) => jsonText(overflowJson(fields)),
  coverage: (fields) => jsonText(coverageRecordJson(fields)),
  gap: (fields) => jsonText(gapJson(fields)),
  sweep: (fields) => jsonText(sweepJson(fields)),
  lifecycle: (kind, fields) => jsonText(lifecycleJson(kind, fields)),
};
