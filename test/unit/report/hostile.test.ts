// Names of files are chosen by anybody: no format may be broken, misread or abused through one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Actor } from '../../../src/domain/actor.ts';
import type { DriftRecord } from '../../../src/domain/drift.ts';
import { type BytePath, pathFromBytes, pathFromLatin1, pathFromText, pathToBytes } from '../../../src/domain/path.ts';
import { recordText } from '../../../src/report/record-text.ts';
import { recordWriter } from '../../../src/report/record-writer.ts';
import { openReport, type ReportFormatName } from '../../../src/report/report.ts';
import { driftLine } from '../../../src/report/text.ts';
import { AFTER, BEFORE, RECORD, SUMMARY } from './fixture.ts';

const nasty = fc.constantFrom(
  '\n',
  '\r',
  '\x1b[2J',
  '\x9b',
  '"',
  "'",
  '\\',
  '<b>',
  '</td>',
  '&amp;',
  '\u202e',
  '\u2028',
  ' -> ',
  ',',
  '%s',
  '\x7f',
  '😀',
  '\ufffd',
  '\ufeff',
);
const name: fc.Arbitrary<BytePath> = fc
  .array(
    fc.oneof(
      fc.uint8Array({ min: 1, maxLength: 6 }).map(pathFromBytes),
      nasty.map(pathFromText),
      fc.string({ unit: 'grapheme', maxLength: 4 }).map(pathFromText),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => pathFromLatin1(`/${parts.join('')}`));

const actor: fc.Arbitrary<Actor> = fc.record(
  {
    source: fc.constantFrom('exec' as const, 'proc' as const),
    pid: fc.nat(),
    exe: fc.string({ unit: 'binary' }),
    cmdline: fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }),
    unit: nasty,
  },
  { requiredKeys: ['source'] },
);

const record: fc.Arbitrary<DriftRecord> = fc
  .record({
    path: name,
    from: fc.option(name, { nil: undefined }),
    target: name,
    xattr: name,
    value: fc.uint8Array({ maxLength: 20 }),
    rule: fc.oneof(nasty, fc.string()),
    actor,
    kind: fc.constantFrom('added' as const, 'removed' as const, 'changed' as const, 'moved' as const),
  })
  .map(({ path, from, target, xattr, value, rule, actor: by, kind }) => ({
    ...RECORD,
    kind,
    path,
    from: kind === 'moved' ? from : undefined,
    rule,
    changed: kind === 'changed' ? ['target', 'xattrs'] : [],
    before: kind === 'added' ? undefined : { ...BEFORE, type: 'symlink', target },
    after: kind === 'removed' ? undefined : { ...AFTER, type: 'symlink', target, xattrs: [{ name: xattr, value }] },
    actors: [by],
  }));

function render(format: ReportFormatName, records: readonly DriftRecord[]): string {
  const report = openReport(format, { colour: false });
  const items = records.map((one) => report.drift(one) + report.incomplete({ path: one.path, errno: 5 }));
  const coverage = records.map(({ path }) => ({
    mount: path,
    mode: 'none' as const,
    sinceMs: 0,
    gaps: 0,
    reason: undefined,
  }));
  return report.begin({ startMs: 0, generation: 1 }) + items.join('') + report.end({ ...SUMMARY, coverage });
}

// What acts on a terminal: C0 but the newline, DEL, C1, and what reorders or breaks lines.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const ACTIVE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

interface Named {
  readonly path: string;
  readonly pathBytes?: string;
}

function bytesOf({ path, pathBytes }: Named): string {
  return (pathBytes === undefined ? Buffer.from(path) : Buffer.from(pathBytes, 'base64')).toString('hex');
}

function hexOf(path: BytePath): string {
  return pathToBytes(path).toString('hex');
}

const each = (check: (records: readonly DriftRecord[]) => void): void =>
  fc.assert(fc.property(fc.array(record, { maxLength: 3 }), check), { numRuns: 300 });

test('json and ndjson give every name back, byte by byte', () => {
  each((records) => {
    const expected = records.map(({ path }) => hexOf(path));
    const document = JSON.parse(render('json', records));
    expect(document.drift.map(bytesOf)).toEqual(expected);
    expect(document.unreadable.map(bytesOf)).toEqual(expected);
    const lines = render('ndjson', records).split('\n');
    expect(lines.pop()).toBe('');
    const parsed = lines.map((line) => JSON.parse(line));
    expect(parsed.filter(({ type }) => type === 'drift').map(bytesOf)).toEqual(expected);
    expect(parsed).toHaveLength(records.length * 2 + 1);
  });
});

test('ecs is one document per line, whatever the name', () => {
  each((records) => {
    const lines = render('ecs', records).trimEnd().split('\n');
    expect(lines).toHaveLength(records.length * 2 + 1);
    const drift = lines.map((line) => JSON.parse(line)).filter(({ event }) => event.dataset === 'driftline.drift');
    expect(drift.map(({ file, driftline }) => bytesOf({ path: file.path, pathBytes: driftline.pathBytes }))).toEqual(
      records.map(({ path }) => hexOf(path)),
    );
  });
});

test.each(['text', 'aide', 'html', 'json', 'ndjson', 'ecs'] as const)(
  '%s has nothing that acts on a terminal',
  (format) => {
    each((records) => {
      expect(render(format, records).replaceAll('\t', '')).not.toMatch(ACTIVE);
    });
  },
);

test('text and journal lines stay one line', () => {
  each((records) => {
    for (const one of records) {
      for (const line of [driftLine(one, { colour: false }), recordText(recordWriter.drift(one), { colour: false })]) {
        expect(line).not.toMatch(ACTIVE);
        expect(line).not.toContain('\n');
      }
    }
  });
});

test('html has no element, attribute or entity out of data', () => {
  const tags = (text: string): string[] => text.match(/<[^>]*>/g) ?? [];
  const known =
    /^<(\/?(td|tr|code|tbody|table|body|html|div)|br|tr class="(added|removed|changed|moved|unreadable)"|div id="summary")>$/;
  each((records) => {
    const body = render('html', records).split('<tbody>')[1] ?? '';
    expect(tags(body).filter((tag) => !known.test(tag))).toEqual([]);
    expect(body.replace(/<[^>]*>/g, '')).not.toMatch(/[<>"']/);
    expect(body.replace(/&(amp|lt|gt|quot|#39|rarr);/g, '')).not.toContain('&');
  });
});

test('a name never looks like another one in text', () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      fc.pre(a !== b);
      const [left, right] = [a, b].map((path) =>
        driftLine({ ...RECORD, path, changed: [], actors: [] }, { colour: false }),
      );
      expect(left).not.toBe(right);
    }),
    { numRuns: 2000 },
  );
});
