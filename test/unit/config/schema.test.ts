import { expect, test } from 'vitest';
import { parseShape, settingsJsonSchema } from '../../../src/config/schema.ts';
import { load, problemsOf } from './fixture.ts';

const RULE = 'rules: [{ name: a, paths: [/a] }]\n';

test('a full configuration', async () => {
  const settings = await load(`
baseline: /srv/driftline/b.db
watch: { marks: mount, who: proc, quiet: 100ms, deadline: 1h 30m, sweep: { critical: off, maxRate: 1.5GiB/s } }
ignore: [/var/cache, '*.swp']
attributes: { logs: [owner, growing], more: logs }
rules:
  - { name: system, paths: [/etc//ssh/./, /], exclude: [/etc/mtab], attributes: strict, severity: critical, hooks: [mirror, mirror] }
  - { name: logs, paths: [/var/log], attributes: [more, inode], onDrift: accept, oneFileSystem: true }
hooks:
  mirror: { run: [rsync, -a], stdin: ndjson, quiet: 1s, deadline: 1m, timeout: 1h, onBusy: skip, retry: { attempts: 3, backoff: 2s..1m }, detach: true }
`);
  expect(settings).toMatchObject({
    baseline: '/srv/driftline/b.db',
    watch: {
      marks: 'mount',
      who: 'proc',
      quietMs: 100,
      deadlineMs: 5_400_000,
      sweep: {
        criticalMs: undefined,
        normalMs: 86_400_000,
        content: { criticalMs: undefined, normalMs: undefined },
        bytesPerSecond: 1.5 * 2 ** 30,
      },
    },
    rules: [
      { paths: ['/etc/ssh', '/'], hooks: ['mirror'], severity: 'critical' },
      {
        onDrift: 'accept',
        oneFileSystem: true,
        attributes: { growing: true, names: new Set(['type', 'mode', 'uid', 'gid', 'inode']) },
      },
    ],
    hooks: [
      {
        name: 'mirror',
        run: ['rsync', '-a'],
        stdin: 'ndjson',
        quietMs: 1000,
        deadlineMs: 60_000,
        timeoutMs: 3_600_000,
        onBusy: 'skip',
        retry: { attempts: 3, backoffMinMs: 2000, backoffMaxMs: 60_000 },
        environment: {},
        detach: true,
      },
    ],
  });
});

test.each([
  ['off', undefined],
  ['1s', 1_000],
])('canary: %s', async (text, canaryMs) => {
  expect((await load(`${RULE}watch: { canary: ${text} }\n`)).watch).toMatchObject({ canaryMs });
});

test.each([
  ['all', undefined, undefined],
  ['7d', 604_800_000, 604_800_000],
  ['{ normal: 60d }', undefined, 5_184_000_000],
  ['{ critical: 1h }', 3_600_000, undefined],
])('sweep.content: %s', async (text, criticalMs, normalMs) => {
  const { watch } = await load(`${RULE}watch: { sweep: { content: ${text} } }\n`);
  expect(watch.sweep.content).toEqual({ criticalMs, normalMs });
});

test('sweep: off', async () => {
  const { watch } = await load(`${RULE}watch: { sweep: off }\n`);
  expect(watch.sweep).toEqual({
    criticalMs: undefined,
    normalMs: undefined,
    content: { criticalMs: undefined, normalMs: undefined },
    bytesPerSecond: undefined,
  });
});

// Each: what is written below the minimal rule, and what is said about it.
const MISTAKES: readonly (readonly [string, string])[] = [
  ['basline: /x', "2: basline: is not a key that exists here (did you mean 'baseline'?)"],
  ['__proto__: { a: 1 }', '2: __proto__: is not a key that exists here'],
  ['watch: { quit: 1s }', "2: watch.quit: is not a key that exists here (did you mean 'quiet'?)"],
  [
    'watch:\n  sweep:\n    critcal: 5m',
    "4: watch.sweep.critcal: is not a key that exists here (did you mean 'critical'?)",
  ],
  ['watch: { quiet: 200 }', '2: watch.quiet: must be a time with a unit, such as 200ms, 5s, 5m or 24h'],
  ['watch: { quiet: 200 ms }', '2: watch.quiet: must be a time with a unit, such as 200ms, 5s, 5m, 24h or 1h 30m'],
  ['watch: { quiet: 30d }', '2: watch.quiet: must not be longer than 24 days'],
  ['watch: { quiet: 6s }', '2: watch.deadline: must not be shorter than quiet'],
  [
    'watch: { sweep: { content: half } }',
    '2: watch.sweep.content: must be all, a time such as 7d, or critical and normal with one each',
  ],
  ['watch: { sweep: { content: 400d } }', '2: watch.sweep.content: must not be longer than 366 days'],
  [
    'watch: { sweep: { content: { norml: 7d } } }',
    "2: watch.sweep.content.norml: is not a key that exists here (did you mean 'normal'?)",
  ],
  ['watch: { canary: 999ms }', '2: watch.canary: must be at least 1s'],
  ['watch: { sweep: 5m }', '2: watch.sweep: must be off, or critical and normal with a time each'],
  [
    'watch: { sweep: { maxRate: fast } }',
    '2: watch.sweep.maxRate: must be an amount per second, such as 50MB/s, or off',
  ],
  ['watch: { sweep: { maxRate: 0.5kB/s } }', '2: watch.sweep.maxRate: must be at least 1KiB/s'],
  ['watch: { sweep: { normal: 5ms } }', '2: watch.sweep.normal: must be at least 1s'],
  ['watch: { marks: mont }', "2: watch.marks: must be auto or mount, not 'mont' (did you mean 'mount'?)"],
  ['watch: null', '2: watch: must be a map of keys, not nothing'],
  ['baseline: b.db', "2: baseline: must be an absolute path without '..'"],
  ['baseline: "/a\0"', "2: baseline: must be an absolute path without '..'"],
  ["ignore: ['']", '2: ignore[0]: would match everything'],
  ['ignore: [a/b]', '2: ignore[0]: has a slash but does not start with one'],
  ['ignore: /a', '2: ignore: must be a list, not a text'],
  [
    'attributes: { logs: [type, mod] }',
    "2: attributes.logs: 'mod' is neither an attribute nor a group (did you mean 'mode'?)",
  ],
  ['attributes: { a: [b], b: [a] }', "2: attributes.a: 'b' contains itself\n2: attributes.b: 'a' contains itself"],
  ['attributes: { strict: [type] }', '2: attributes.strict: is a name that is built in'],
  ['attributes: { a: [] }', '2: attributes.a: needs at least one attribute'],
  ['attributes: { a: 1 }', '2: attributes.a: must be an attribute, a group or a list of them'],
  [
    "attributes: { 'a b': [type] }",
    '2: attributes.a b: the name must consist of letters, digits, dots, dashes and underscores',
  ],
  ['hooks: { a: { run: x } }', '2: hooks.a.run: must be a list, not a text'],
  ['hooks: { a: {} }', '2: hooks.a: needs either run or use'],
  ['hooks: { a: { run: [x], retry: { attempts: 0 } } }', '2: hooks.a.retry.attempts: must be at least 1'],
  [
    'hooks: { a: { run: [x], retry: { atempts: 1 } } }',
    "2: hooks.a.retry.atempts: is not a key that exists here (did you mean 'attempts'?)",
  ],
  ['hooks: { a: { run: [x], retry: { backoff: 5m } } }', '2: hooks.a.retry.backoff: must be two times, such as 1s..5m'],
  [
    'hooks: { a: { run: [x], retry: { backoff: 5m..1s } } }',
    '2: hooks.a.retry.backoff: must go from a short time to a longer one',
  ],
  ['hooks: { a: { run: [x], detach: yes } }', '2: hooks.a.detach: must be true or false, not a text'],
];

test.each(MISTAKES)('%s', async (text, expected) => {
  expect((await problemsOf(RULE + text)).join('\n')).toBe(expected);
});

test('mistakes in rules name the line and the key', async () => {
  const problems = await problemsOf(`rules:
  - name: a b
    paths: [/etc, etc, /a/../b]
    onDrft: report
  - paths: []
    attributes: [type, 3]
    severity: high
`);
  expect(problems).toEqual([
    '2: rules[0].name: must consist of letters, digits, dots, dashes and underscores',
    "3: rules[0].paths[1]: must be an absolute path without '..'",
    "3: rules[0].paths[2]: must be an absolute path without '..'",
    "4: rules[0].onDrft: is not a key that exists here (did you mean 'onDrift'?)",
    '5: rules[1].name: is missing',
    '5: rules[1].paths: needs at least one path',
    '6: rules[1].attributes[1]: must be a text, not a number',
    "7: rules[1].severity: must be info, normal or critical, not 'high'",
  ]);
});

test('names and paths stand for one thing only', async () => {
  const problems = await problemsOf(`rules:
  - { name: a, paths: [/etc, /usr], hooks: [mirrow] }
  - { name: a, paths: [/opt, /etc/] }
hooks: { mirror: { run: [x] } }
`);
  expect(problems).toEqual([
    "2: rules[0].hooks[0]: there is no hook 'mirrow' (did you mean 'mirror'?)",
    "3: rules[1].name: 'a' is the name of another rule",
    "3: rules[1].paths[1]: /etc is also a path of rule 'a'",
  ]);
});

test('nothing to watch is a mistake', async () => {
  expect(await problemsOf('baseline: /b\n')).toEqual(['1: rules: is missing']);
  expect(await problemsOf('rules: []\n')).toEqual(['1: rules: needs at least one rule']);
  expect(await problemsOf('- a\n')).toEqual(['1: must be a map of keys, not a list']);
});

test('what is hardly meant is a warning', async () => {
  const { warnings, file } = await load(
    'rules: [{ name: a, paths: [/a], onDrift: ignore, hooks: [x] }]\nhooks: { x: { run: [x] }, y: { run: [y] } }\n',
  );
  expect(warnings).toEqual([
    `${file}:2: hooks.y: no rule uses this hook`,
    `${file}:1: rules[0].hooks: never run, because onDrift is ignore`,
  ]);
});

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<{ [key: string]: SchemaNode; watch?: SchemaNode; quiet?: SchemaNode }>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
}

function undescribed(node: SchemaNode, path = ''): string[] {
  const inner = [node.items, node.additionalProperties, ...(node.anyOf ?? [])].filter(
    (child) => typeof child === 'object',
  );
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
      ...(child.description === undefined ? [`${path}.${key}`] : []),
      ...undescribed(child, `${path}.${key}`),
    ]),
    ...inner.flatMap((child) => undescribed(child, `${path}.*`)),
  ];
}

test('the JSON schema describes every key and refuses others', () => {
  const schema = settingsJsonSchema() as SchemaNode & { readonly $schema?: string };
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  expect(Object.keys(schema.properties ?? {})).toEqual(['baseline', 'watch', 'ignore', 'attributes', 'rules', 'hooks']);
  expect(schema.additionalProperties).toBe(false);
  expect(undescribed(schema)).toEqual([]);
  expect(schema.properties?.watch?.properties?.quiet).toMatchObject({ type: 'string', default: '200ms' });
});

test('the schema alone takes a value', () => {
  expect(parseShape({ rules: [{ name: 'a', paths: ['/a'] }] })).toHaveProperty(
    'shape.baseline',
    '/var/lib/driftline/baseline.db',
  );
});

test('by: one clause or a list; who and what both have to be said', () => {
  const parse = (by: unknown) => parseShape({ rules: [{ name: 'a', paths: ['/a'], by }] });
  const clause = { exe: '/usr/bin/dpkg', user: 0, severity: 'info' };
  for (const by of [clause, [clause]]) {
    const parsed = parse(by);
    expect('shape' in parsed && parsed.shape.rules[0]?.by).toEqual([{ ...clause, user: '0' }]);
  }
  for (const wrong of [
    { severity: 'info' },
    { exe: '/usr/bin/dpkg' },
    { exe: 'dpkg', severity: 'info' },
    [{ comm: 'a' }],
  ]) {
    expect('mistakes' in parse(wrong)).toBe(true);
  }
});
