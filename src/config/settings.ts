// From what a configuration says to Settings: names resolved, keys that depend on each other checked.
import {
  ATTRIBUTE_GROUPS,
  ATTRIBUTES,
  type AttributeSet,
  isAttribute,
  resolveAttributes,
} from '../domain/attribute.ts';
import { pathFromText } from '../domain/path.ts';
import type { Rule } from '../domain/rule.ts';
import type { Settings } from '../domain/settings.ts';
import { resolveHook } from './hooks.ts';
import type { KeyPath } from './problem.ts';
import type { Mistake, Shape } from './schema.ts';
import { didYouMean } from './suggest.ts';

export interface Resolved {
  readonly settings: Settings;
  readonly mistakes: readonly Mistake[];
  /** What is allowed but hardly meant. */
  readonly warnings: readonly Mistake[];
}

/** Resolves a whole configuration; `settings` is only good when there are no mistakes. */
export function resolveSettings(shape: Shape, hooksDir: string): Resolved {
  const mistakes: Mistake[] = [];
  const report = (path: KeyPath, message: string): void => void mistakes.push({ path, message });
  const own = ownGroups(shape, report);
  const rules = shape.rules.map((rule, index) => resolveRule(rule, index, own, Object.keys(shape.hooks), report));
  refuseDoubles(shape, report);
  if (shape.watch.quiet > shape.watch.deadline) report(['watch', 'deadline'], 'must not be shorter than quiet');
  const hooks = Object.entries(shape.hooks).map(([name, hook]) =>
    resolveHook(name, hook, hooksDir, (path, message) => report(['hooks', name, ...path], message)),
  );
  return { settings: { ...plainSettings(shape), rules, hooks }, mistakes, warnings: warningsOf(shape) };
}

type Report = (path: KeyPath, message: string) => void;

function plainSettings(shape: Shape): Pick<Settings, 'baseline' | 'watch' | 'ignore'> {
  const { marks, who, quiet, deadline, sweep, canary, hooks } = shape.watch;
  return {
    baseline: pathFromText(shape.baseline),
    ignore: shape.ignore,
    watch: {
      marks,
      who,
      quietMs: quiet,
      deadlineMs: deadline,
      sweep: {
        criticalMs: sweep.critical,
        normalMs: sweep.normal,
        content: { criticalMs: sweep.content.critical, normalMs: sweep.content.normal },
        bytesPerSecond: sweep.maxRate,
      },
      canaryMs: canary,
      hooks,
    },
  };
}

/** The groups of `attributes:`, each checked by itself so that an unused one is not wrong unnoticed. */
function ownGroups(shape: Shape, report: Report): ReadonlyMap<string, readonly string[]> {
  const groups = new Map(Object.entries(shape.attributes));
  for (const [name, words] of groups) {
    if (isAttribute(name) || ATTRIBUTE_GROUPS.includes(name))
      report(['attributes', name], 'is a name that is built in');
    attributesOf(words, groups, ['attributes', name], report);
  }
  return groups;
}

function attributesOf(
  words: readonly string[],
  own: ReadonlyMap<string, readonly string[]>,
  path: KeyPath,
  report: Report,
): AttributeSet {
  const set = resolveAttributes(words, own);
  if (!('unknown' in set)) {
    if (set.names.size === 0) report(path, 'needs at least one attribute');
    return set;
  }
  const message = own.has(set.unknown)
    ? `'${set.unknown}' contains itself`
    : `'${set.unknown}' is neither an attribute nor a group${didYouMean(set.unknown, [...ATTRIBUTES, ...ATTRIBUTE_GROUPS, ...own.keys()])}`;
  report(path, message);
  return { names: new Set(), growing: false };
}

function resolveRule(
  rule: Shape['rules'][number],
  index: number,
  own: ReadonlyMap<string, readonly string[]>,
  hooks: readonly string[],
  report: Report,
): Rule {
  for (const [position, hook] of rule.hooks.entries()) {
    if (!hooks.includes(hook)) {
      report(['rules', index, 'hooks', position], `there is no hook '${hook}'${didYouMean(hook, hooks)}`);
    }
  }
  return {
    name: rule.name,
    paths: rule.paths.map(pathFromText),
    exclude: rule.exclude,
    attributes: attributesOf(rule.attributes, own, ['rules', index, 'attributes'], report),
    severity: rule.severity,
    onDrift: rule.onDrift,
    hooks: [...new Set(rule.hooks)],
    oneFileSystem: rule.oneFileSystem,
    ...(rule.by.length === 0
      ? {}
      : {
          by: rule.by.map(({ exe, user, unit, severity, onDrift }) => ({
            exe,
            user,
            uid: undefined,
            unit,
            severity,
            onDrift,
          })),
        }),
  };
}

/** A name or a path in two places would leave open which one counts. */
function refuseDoubles(shape: Shape, report: Report): void {
  const names = new Set<string>();
  const paths = new Map<string, string>();
  for (const [index, rule] of shape.rules.entries()) {
    if (names.has(rule.name)) report(['rules', index, 'name'], `'${rule.name}' is the name of another rule`);
    names.add(rule.name);
    for (const [position, path] of rule.paths.entries()) {
      const other = paths.get(path);
      if (other !== undefined) report(['rules', index, 'paths', position], `${path} is also a path of rule '${other}'`);
      paths.set(path, rule.name);
    }
  }
}

function warningsOf(shape: Shape): Mistake[] {
  const used = new Set(shape.rules.flatMap((rule) => rule.hooks));
  const unused = Object.keys(shape.hooks).filter((name) => !used.has(name));
  const silent = shape.rules.flatMap((rule, index) =>
    rule.onDrift === 'ignore' && rule.hooks.length > 0 ? [index] : [],
  );
  return [
    ...unused.map((name) => ({ path: ['hooks', name], message: 'no rule uses this hook' })),
    ...silent.map((index) => ({ path: ['rules', index, 'hooks'], message: 'never run, because onDrift is ignore' })),
  ];
}
