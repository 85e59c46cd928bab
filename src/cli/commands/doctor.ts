// driftline doctor: what this kernel, filesystem, user and configuration allow, and what to do about the rest.
import { loadSettings } from '../../config/load.ts';
import { openDigestEngine } from '../../disk/digest.ts';
import { escapePath, escapeText } from '../../domain/escape.ts';
import type { Settings } from '../../domain/settings.ts';
import { jsonText } from '../../report/json-text.ts';
import { pluralText } from '../../report/quantity.ts';
import { type Context, HOOKS_DIR } from '../context.ts';
import { type Finding, findingOf, systemFindings } from '../diagnosis.ts';
import { hookFindings } from '../hook-findings.ts';
import { openState, scopeSettings } from '../state.ts';

/** 0 when everything that is configured can work, 1 when something cannot. */
export async function runDoctor(context: Context, json: boolean): Promise<number> {
  const { settings, findings: config } = await configFindings(context);
  const findings = [
    ...(await systemFindings(settings === undefined ? undefined : scopeSettings(settings))),
    { subject: 'digest', level: 'ok' as const, message: `BLAKE3 by the ${openDigestEngine().name} engine` },
    ...config,
    ...(settings === undefined ? [] : [baselineFinding(settings)]),
  ];
  const bad = findings.some(({ level }) => level === 'bad');
  if (json)
    context.output.data(
      `${jsonText({ v: 1, type: 'doctor', ok: !bad, findings: findings.map((finding) => ({ ...finding })) })}\n`,
    );
  else context.output.data(findings.map(findingText).join(''));
  return bad ? 1 : 0;
}

async function configFindings({
  config,
  startDir,
}: Context): Promise<{ settings: Settings | undefined; findings: Finding[] }> {
  try {
    const settings = await loadSettings({ file: config, cwd: startDir, hooksDir: HOOKS_DIR });
    const warnings = settings.warnings.map((message) => ({ subject: 'config', level: 'warn' as const, message }));
    const fine: Finding = {
      subject: 'config',
      level: 'ok',
      message: `${settings.file}: ${pluralText(settings.rules.length, 'rule')}`,
    };
    return { settings, findings: [fine, ...warnings, ...(await hookFindings(settings))] };
  } catch (error) {
    return { settings: undefined, findings: [findingOf('config', 'warn', error)] };
  }
}

function baselineFinding(settings: Settings): Finding {
  try {
    const store = openState(settings, 'read');
    const { generation, entries } = store.baseline.info();
    store.close();
    return {
      subject: 'baseline',
      level: 'ok',
      message: `${escapePath(settings.baseline)}: generation ${generation}, ${entries} entries`,
    };
  } catch (error) {
    return findingOf('baseline', 'bad', error);
  }
}

const MARKS = { ok: ' ok ', warn: 'warn', bad: 'BAD ' } as const;

function findingText({ subject, level, message, hint }: Finding): string {
  const advice = hint === undefined ? '' : `\n                  ${escapeText(hint)}`;
  return `${MARKS[level]}  ${subject.padEnd(11)} ${escapeText(message)}${advice}\n`;
}
