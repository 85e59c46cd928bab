// Which paths are watched, what of them is compared, and what happens on drift.
import type { ActorClause } from './actor-rule.ts';
import type { AttributeSet } from './attribute.ts';
import type { Severity } from './drift.ts';
import { compilePatterns, type PathMatcher } from './glob.ts';
import { type BytePath, dirOf, isWithin, lineage, nameOf } from './path.ts';

export interface Rule {
  readonly name: string;
  /** Absolute; each stands for itself and everything below it. */
  readonly paths: readonly BytePath[];
  /** Patterns as `glob.ts` describes them. */
  readonly exclude: readonly string[];
  readonly attributes: AttributeSet;
  readonly severity: Severity;
  /** `report`: stays open until accepted. `accept`: run the hooks and make it the baseline. `ignore`: nothing. */
  readonly onDrift: 'report' | 'accept' | 'ignore';
  /** Names of hooks. */
  readonly hooks: readonly string[];
  /** Do not descend into other filesystems mounted below a path. */
  readonly oneFileSystem: boolean;
  /** What counts instead when certain processes did it; the first that fits. */
  readonly by?: readonly ActorClause[];
}

/** Plain data, so that it can be sent to a worker thread and compiled there. */
export interface ScopeSettings {
  readonly rules: readonly Rule[];
  /** Patterns that hold for every rule. */
  readonly ignore: readonly string[];
  /** Single paths that are never entries: the files that driftline itself keeps open. */
  readonly own: readonly BytePath[];
}

/** Rules compiled for matching. */
export interface Scope {
  readonly rules: readonly Rule[];
  /** Every rule path once, sorted. */
  readonly roots: readonly BytePath[];
  /** The rule of a path: that of the longest rule path at or above it; undefined when none, or when it is excluded. */
  ruleOf(path: BytePath): Rule | undefined;
  /**
   * The walker's question for an entry of a directory whose own rule is `parent` (undefined above all rule paths):
   * only the entry itself is tested, its ancestors have passed already.
   */
  childRule(parent: Rule | undefined, path: BytePath, name: BytePath): Rule | undefined;
  /** Whether `childRule` says `parent` of every entry of the directory, whatever its name. */
  isUniform(parent: Rule, dir: BytePath): boolean;
  /** Why `ruleOf` gives what it gives. */
  explain(path: BytePath): Explanation;
}

export type Explanation =
  | { readonly kind: 'rule'; readonly rule: Rule; readonly root: BytePath }
  | { readonly kind: 'excluded'; readonly by: string; readonly at: BytePath; readonly rule: Rule }
  | { readonly kind: 'outside' };

export function compileScope(settings: ScopeSettings): Scope {
  const ignore = compilePatterns(settings.ignore);
  const own = new Set<string>(settings.own);
  const excludes = new Map(settings.rules.map((rule) => [rule, compilePatterns(rule.exclude)]));
  const byRoot = new Map<string, Rule>();
  for (const rule of settings.rules) for (const path of rule.paths) if (!byRoot.has(path)) byRoot.set(path, rule);

  const excludedBy = (rule: Rule, path: BytePath, name: BytePath): string | undefined =>
    own.has(path) ? 'driftline itself' : (ignore(path, name) ?? (excludes.get(rule) as PathMatcher)(path, name));

  const childRule = (parent: Rule | undefined, path: BytePath, name: BytePath): Rule | undefined => {
    const rule = byRoot.get(path) ?? parent;
    return rule === undefined || excludedBy(rule, path, name) !== undefined ? undefined : rule;
  };

  const special = new Set<string>([...(byRoot.keys() as Iterable<BytePath>), ...settings.own].map(dirOf));
  const isUniform = (parent: Rule, dir: BytePath): boolean =>
    settings.ignore.length === 0 && parent.exclude.length === 0 && !special.has(dir);

  const explain = (path: BytePath): Explanation => {
    let rule: Rule | undefined;
    let root = path;
    for (const at of lineage(path)) {
      const own = byRoot.get(at);
      if (own !== undefined) [rule, root] = [own, at];
      const by = rule === undefined ? undefined : excludedBy(rule, at, nameOf(at));
      if (rule !== undefined && by !== undefined) return { kind: 'excluded', by, at, rule };
    }
    return rule === undefined ? { kind: 'outside' } : { kind: 'rule', rule, root };
  };

  return {
    rules: settings.rules,
    roots: ([...byRoot.keys()] as BytePath[]).sort(),
    childRule,
    isUniform,
    explain,
    ruleOf: (path) => {
      const found = explain(path);
      return found.kind === 'rule' ? found.rule : undefined;
    },
  };
}

/** The roots at or below `path`, or `path` itself when a rule covers it: what a check of `path` has to walk. */
export function rootsFor(scope: Scope, path: BytePath): BytePath[] {
  if (scope.ruleOf(path) !== undefined) return [path];
  return scope.roots.filter((root) => isWithin(root, path));
}
