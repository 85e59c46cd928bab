// The commands below `driftline hook`.
import type { AddCommand } from './program.ts';

type Parent = Parameters<AddCommand>[0];

export function addHookCommands(program: Parent, command: AddCommand): void {
  const json = ['--json', 'machine-readable output'] as const;
  const hook = program.command('hook').description('what hooks have to deliver, and what you want of them');
  command(hook, 'list', 'all hooks and how they are', async (context, _args, options) =>
    (await import('./commands/hook.ts')).runHookList(context, (options as { json?: boolean }).json ?? false),
  ).option(...json);
  command(
    hook,
    'test <name> [path...]',
    'what would run for these paths (or for what is pending), with which input, and why',
    async (context, [name = '', ...paths], options) => {
      const { run = false, json = false } = options as { run?: boolean; json?: boolean };
      return (await import('./commands/hook-test.ts')).runHookTest(context, { name, paths, run, json });
    },
  )
    .option('--run', 'run it, without the outbox')
    .option(...json);
  command(
    hook,
    'run <name> [path...]',
    'tell a hook of these paths, or try what is pending',
    async (context, [name = '', ...paths], options) => {
      const { pending = false } = options as { pending?: boolean };
      return (await import('./commands/hook.ts')).runHookRun(context, { name, paths, pending });
    },
  ).option('--pending', 'try at once what failed, also what was given up');
  command(hook, 'release <name>', 'let a hook run again that drift has held', async (context, [name = '']) =>
    (await import('./commands/hook.ts')).runHookRelease(context, name),
  );
}
