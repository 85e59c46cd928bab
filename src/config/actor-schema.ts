// `by:` of a rule: which processes, and what counts then.
import { SEVERITIES } from '../domain/drift.ts';
import { pattern } from './schema-parts.ts';
import { z } from './zod.ts';

const program = pattern.refine((text) => text.startsWith('/'), 'must be an absolute path or a glob of one');

const user = z.union([z.string().min(1), z.int().min(0).transform(String)], 'must be the name or the number of a user');

const clause = z
  .strictObject({
    exe: program.optional().describe('The program: an absolute path, or a glob of one.'),
    user: user.optional().describe('The user of the process, by name or number.'),
    unit: z.string().min(1).optional().describe('Its systemd unit, or a glob such as apt-daily*.service.'),
    severity: z.enum(SEVERITIES).optional().describe('Instead of that of the rule.'),
    onDrift: z.enum(['report', 'accept']).optional().describe('Instead of that of the rule.'),
  })
  .refine((one) => (one.exe ?? one.user ?? one.unit) !== undefined, 'needs exe, user or unit')
  .refine((one) => (one.severity ?? one.onDrift) !== undefined, 'needs severity or onDrift');

export const actorClauses = z.union(
  [clause.transform((one) => [one]), z.array(clause)],
  'must be exe, user or unit with severity or onDrift, or a list of such',
);
