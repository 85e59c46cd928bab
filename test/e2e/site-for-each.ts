// A site of its own for each test of a file, gone after it; and how most of them are configured: one rule, one hook.
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { needCapabilities } from '../kernel/capability.ts';
import type { Fields } from './daemon.ts';
import { Site, type SiteOptions } from './site.ts';

/** Of the running test. */
export let site: Site;

/** To be called once in a test file. */
export function siteForEach(options: SiteOptions = {}): void {
  beforeEach((context) => {
    needCapabilities(context);
    site = new Site(options);
  });
  afterEach(async () => await site?.[Symbol.asyncDispose]());
}

/** A place that is not watched. */
export const aside = (name: string): string => join(site.scratch.dir, name);

/** The rule of the site has one hook, `it`, that does not wait long. */
export function configureHook(settings: Fields, rule: Fields = {}): void {
  site.configure({
    rule: { hooks: ['it'], ...rule },
    hooks: { it: { quiet: '20ms', deadline: '500ms', ...settings } },
  });
}
