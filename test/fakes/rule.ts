// A rule for tests: what is not said is the default.
import { resolveAttributes } from '../../src/domain/attribute.ts';
import type { Rule } from '../../src/domain/rule.ts';
import { path } from './entry.ts';

export function rule(name: string, paths: string[], fields: Partial<Rule> = {}): Rule {
  const attributes = resolveAttributes(['default'], new Map());
  if ('unknown' in attributes) throw new Error('default is a group');
  return {
    name,
    paths: paths.map(path),
    exclude: [],
    attributes,
    severity: 'normal',
    onDrift: 'report',
    hooks: [],
    oneFileSystem: false,
    ...fields,
  };
}
