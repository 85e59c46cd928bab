// What `driftline run` tells of the mounts that it watches: it has no sweep that would find what no event tells of.
import { type Coverage, type CoverageMode, unseenBy } from '../domain/coverage.ts';
import { AppError } from '../domain/errors.ts';
import { escapePath } from '../domain/escape.ts';

const BLIND: readonly CoverageMode[] = ['sweep', 'none'];
const NAMED_MAX = 5;

/** A line each. Throws IO when no event would ever come. `isMeant`: mount marks alone are what was asked for. */
export function coverageWarnings(coverage: readonly Coverage[], isMeant: boolean): string[] {
  const of = (modes: readonly CoverageMode[]): Coverage[] => coverage.filter(({ mode }) => modes.includes(mode));
  const [blind, partly] = [of(BLIND), isMeant ? [] : of(['mount'])];
  const [first] = blind;
  if (first !== undefined && blind.length === coverage.length) {
    throw new AppError('IO', `changes on ${escapePath(first.mount)} cannot be seen: ${first.reason ?? first.mode}`, {
      hint: 'the kernel tells of no event there',
    });
  }
  return [
    ...(first === undefined ? [] : [`changes are not seen on ${namesOf(blind)}`]),
    ...(partly.length === 0 ? [] : [`no event tells of ${unseenBy('mount')} on ${namesOf(partly)}`]),
  ];
}

function namesOf(mounts: readonly Coverage[]): string {
  const names = mounts.slice(0, NAMED_MAX).map(({ mount }) => escapePath(mount));
  const more = mounts.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
