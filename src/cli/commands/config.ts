// driftline config check|schema.
import { loadSettings } from '../../config/load.ts';
import { settingsJsonSchema } from '../../config/schema.ts';
import { escapeText } from '../../domain/escape.ts';
import { jsonText } from '../../report/json-text.ts';
import { type Context, HOOKS_DIR } from '../context.ts';
import { checkEverythingOfHooks } from '../hook-problems.ts';
import { rulePathWarnings } from '../rule-paths.ts';

export async function runConfigCheck({ config, startDir, output }: Context, json: boolean): Promise<number> {
  const settings = await loadSettings({ file: config, cwd: startDir, hooksDir: HOOKS_DIR });
  checkEverythingOfHooks(settings, settings.told);
  const warnings = [...settings.warnings, ...rulePathWarnings(settings)];
  for (const warning of warnings) output.warn(`driftline: warning: ${warning}`);
  const { file, rules, hooks } = settings;
  if (json) {
    output.data(
      `${jsonText({ v: 1, type: 'config-check', file, rules: rules.length, hooks: hooks.length, warnings })}\n`,
    );
  } else {
    const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
    output.data(`${escapeText(file)}: fine: ${plural(rules.length, 'rule')}, ${plural(hooks.length, 'hook')}\n`);
  }
  return 0;
}

export function runConfigSchema({ output }: Context): number {
  output.data(`${JSON.stringify(settingsJsonSchema(), null, 2)}\n`);
  return 0;
}
