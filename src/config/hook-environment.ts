// `with:` to environment variables: `mailTo: root` becomes DRIFTLINE_MAIL_TO=root; a list becomes _1, _2 ... and _COUNT.

type Setting = string | number | boolean;

/** What every run gets from driftline itself (hooks/payload.ts). */
const FIXED: ReadonlySet<string> = new Set(
  'HOOK RUN_ID KEY ATTEMPT PATHS DRIFTS ADDED REMOVED CHANGED MOVED RESOLVED SEVERITY RULES OUTCOME PROBLEM EXIT_CODE'.split(
    ' ',
  ),
);

export function hookEnvironment(
  settings: Readonly<Record<string, Setting | readonly Setting[]>>,
  report: (key: string, message: string) => void,
): Readonly<Record<string, string>> {
  const environment = new Map<string, string>();
  for (const [key, value] of Object.entries(settings)) {
    if (!/^[a-z][A-Za-z0-9]*$/.test(key)) {
      report(key, 'must be letters and digits, such as mailTo');
      continue;
    }
    const name = upperSnake(key);
    if (FIXED.has(name)) report(key, `DRIFTLINE_${name} is set by driftline itself`);
    for (const [variable, text] of variablesOf(`DRIFTLINE_${name}`, value)) {
      if (text.includes('\0')) report(key, 'contains NUL');
      if (environment.has(variable)) report(key, `sets ${variable} a second time`);
      environment.set(variable, text);
    }
  }
  return Object.fromEntries(environment);
}

function upperSnake(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

function variablesOf(name: string, value: Setting | readonly Setting[]): [string, string][] {
  if (!isList(value)) return [[name, String(value)]];
  const items = value.map((item, index): [string, string] => [`${name}_${index + 1}`, String(item)]);
  return [...items, [`${name}_COUNT`, String(value.length)]];
}

function isList(value: Setting | readonly Setting[]): value is readonly Setting[] {
  return Array.isArray(value);
}
