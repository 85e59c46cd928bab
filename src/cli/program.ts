// The only import of commander: the table of commands.
import { Command, CommanderError, Option } from 'commander';
import { AppError } from '../domain/errors.ts';
import { REPORT_FORMATS, type ReportFormatName } from '../report/report.ts';
import type { TraceOptions } from './commands/trace.ts';
import type { Context } from './context.ts';
import { EXIT_TABLE } from './exit-codes.ts';
import { addHookCommands } from './hook-program.ts';
import { parserOf } from './option-parsers.ts';
import type { OptionRow } from './option-row.ts';
import { splitArguments } from './run-arguments.ts';
import { RUN_HELP, RUN_OPTIONS } from './run-options.ts';
import type { RunOptions } from './run-settings.ts';
import { SCAN_OPTIONS, type ScanOptions } from './scan-options.ts';
import { TRACE_HELP, TRACE_OPTIONS } from './trace-options.ts';
import { listenToSignals } from './watch-signals.ts';

export interface GlobalOptions {
  readonly config?: string;
  readonly baseline?: string;
  readonly color: boolean;
  readonly quiet?: boolean;
  readonly progress: 'auto' | 'json' | 'none' | false;
}

interface JsonOption {
  readonly json?: boolean;
}

interface CheckOptions extends ScanOptions, JsonOption {
  readonly quick?: boolean;
  readonly format: ReportFormatName;
}

interface AcceptOptions extends JsonOption {
  readonly all?: boolean;
  readonly interactive?: boolean;
  readonly report?: string;
}

/** Parses the arguments and runs the command; resolves to the exit status. Throws AppError USAGE for wrong arguments. */
export async function runProgram(
  argv: readonly string[],
  version: string,
  makeContext: (options: GlobalOptions) => Context,
): Promise<number> {
  let status = 0;
  const { words, command: ownCommand } = splitArguments(argv);
  const program = new Command('driftline')
    .description('keeps a baseline of what your files should be, watches them drift, and runs your hooks')
    .version(version, '-V, --version')
    .option('-c, --config <file>', 'configuration (default: /etc/driftline/driftline.yaml)')
    .option('-b, --baseline <file>', 'baseline; without --config, paths on the command line stand for a configuration')
    .option('--no-color', 'no colours, as with NO_COLOR')
    .option(ownCommand === undefined ? '-q, --quiet' : '-q', 'only data, warnings and errors')
    .addOption(new Option('--progress <how>', 'of init and check').choices(['auto', 'json', 'none']).default('auto'))
    .option('--no-progress', 'same as --progress none')
    .addHelpText(
      'after',
      `\nExit status:\n${EXIT_TABLE.map(([code, text]) => `  ${code.padEnd(14)} ${text}`).join('\n')}`,
    );
  const command = (
    parent: Command,
    usage: string,
    description: string,
    run: (context: Context, args: string[], options: object) => Promise<number> | number,
  ): Command =>
    parent
      .command(usage)
      .description(description)
      .action(async (...parameters: unknown[]) => {
        const self = parameters.at(-1) as Command;
        const { q, ...globals } = program.opts<GlobalOptions & { readonly q?: boolean }>();
        const context = makeContext({ ...globals, quiet: globals.quiet ?? q ?? false });
        status = await run(
          context,
          self.processedArgs.flat().filter((arg) => typeof arg === 'string'),
          self.opts(),
        );
      });

  addBaselineCommands(program, command);
  addWatchCommands(program, command);
  addHookCommands(program, command);
  addTraceCommand(program, command);
  addRunCommand(program, command, ownCommand ?? []);
  let failed = program;
  for (const each of allCommands(program)) {
    each.configureOutput({ writeErr: () => {} }).exitOverride((error) => {
      failed = each;
      throw error;
    });
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return endOfParsing(error, failed);
    throw error;
  }
}

/** How long the end of a watch may wait for whoever reads what it prints. */
const OUTPUT_PATIENCE_MS = 100;

export type AddCommand = (
  parent: Command,
  usage: string,
  description: string,
  run: (context: Context, args: string[], options: object) => Promise<number> | number,
) => Command;

function addBaselineCommands(program: Command, command: AddCommand): void {
  const json = ['--json', 'machine-readable output'] as const;
  const init = command(program, 'init [path...]', 'build the baseline', async (context, paths, options) => {
    const { force = false, json = false, ...scan } = options as { force?: boolean } & ScanOptions & JsonOption;
    return (await import('./commands/init.ts')).runInit(context, { paths, force, json, scan });
  }).option('-f, --force', 'replace a baseline that exists');
  addOptions(init, SCAN_OPTIONS).option(...json);
  const check = command(program, 'check [path...]', 'compare with the baseline', async (context, paths, options) => {
    const { quick = false, format, json, ...scan } = options as CheckOptions;
    return (await import('./commands/check.ts')).runCheck(context, {
      paths,
      quick,
      format: json ? 'json' : format,
      scan,
    });
  })
    .option('--quick', 'trust inode, size, times, mode and owner; read only what differs in one of them')
    .addOption(
      new Option('--format <format>', 'report format').choices(REPORT_FORMATS).default('text').conflicts('json'),
    );
  addOptions(check, SCAN_OPTIONS).option('--json', 'same as --format json');
  command(
    program,
    'accept [path...]',
    'make the present state of paths the baseline',
    async (context, paths, options) => {
      const { all = false, interactive = false, report, json = false } = options as AcceptOptions;
      return (await import('./commands/accept.ts')).runAccept(context, { paths, all, interactive, report, json });
    },
  )
    .option('-a, --all', 'everything')
    .option('-i, --interactive', 'ask about each drift')
    .option('-r, --report <id>', 'exactly what this report of check, or this drift, said')
    .option(...json);
}

function addWatchCommands(program: Command, command: AddCommand): void {
  const json = ['--json', 'machine-readable output'] as const;
  const wantsJson = (options: object): boolean => (options as JsonOption).json ?? false;
  command(program, 'watch', 'the daemon, in the foreground', async (context, _args, options) => {
    // Before the watch itself, which takes a while to load.
    const signals = listenToSignals();
    const json = wantsJson(options);
    const { queueOutput } = await import('./output-queue.ts');
    const output = queueOutput(context.output);
    try {
      return await (await import('./commands/watch.ts')).runWatch({ ...context, output }, { json, signals });
    } finally {
      output.close(OUTPUT_PATIENCE_MS);
    }
  })
    .option('--json', 'drift as records, one line of JSON each')
    .addHelpText('after', '\nwatch --once PATH... -- COMMAND is run --once: see driftline run --help.');
  command(program, 'status', 'coverage, backlog, open drift, hooks', async (context, _args, options) =>
    (await import('./commands/status.ts')).runStatus(context, wantsJson(options)),
  ).option(...json);
  command(program, 'journal', 'what was observed and done', async (context, _args, options) => {
    const { since, verify = false, json = false } = options as { since?: string; verify?: boolean } & JsonOption;
    return (await import('./commands/journal.ts')).runJournal(context, { since, verify, json });
  })
    .option('-s, --since <time>', 'from then on: 2h, 7d, 2026-11-21, ...')
    .option('--verify', 'recompute the chain of the records')
    .option('--json', 'the records themselves');
  command(
    program,
    'explain <path>',
    'which rule, attributes, hooks and coverage a path has, and why',
    async (context, [path], options) =>
      (await import('./commands/explain.ts')).runExplain(context, { path: path ?? '', json: wantsJson(options) }),
  ).option(...json);
  const config = program.command('config').description('look at the configuration');
  command(config, 'check', 'check the configuration, and whether its hooks can run', async (context, _args, options) =>
    (await import('./commands/config.ts')).runConfigCheck(context, wantsJson(options)),
  ).option(...json);
  command(config, 'schema', 'print the JSON Schema of the configuration', async (context) =>
    (await import('./commands/config.ts')).runConfigSchema(context),
  );
  command(
    program,
    'doctor',
    'what kernel, filesystems, user and configuration allow',
    async (context, _args, options) => (await import('./commands/doctor.ts')).runDoctor(context, wantsJson(options)),
  ).option(...json);
}

function addTraceCommand(program: Command, command: AddCommand): void {
  const trace = command(
    program,
    'trace [path...]',
    'live events with their processes',
    async (context, paths, options) =>
      (await import('./commands/trace.ts')).runTrace(context, { ...(options as TraceOptions), paths }),
  ).addHelpText('after', TRACE_HELP);
  addOptions(trace, TRACE_OPTIONS);
}

function addRunCommand(program: Command, command: AddCommand, own: readonly string[]): void {
  const description = 'run a command on every change: run PATH... -- COMMAND';
  const run = command(program, 'run [path...]', description, async (context, paths, options) => {
    // Before the rest, which takes a while to load.
    const signals = listenToSignals();
    const { runRun } = await import('./commands/run.ts');
    return runRun(context, { ...(options as RunOptions), paths, command: own }, signals);
  }).addHelpText('after', RUN_HELP);
  addOptions(run, RUN_OPTIONS);
}

function addOptions(command: Command, rows: readonly OptionRow[]): Command {
  for (const { flags, description, kind, choices, value } of rows) {
    const added = new Option(flags, description).default(value);
    const parse = parserOf(flags, kind, `${fullName(command)} --help`);
    if (parse !== undefined) added.argParser(parse);
    if (choices !== undefined) added.choices([...choices]);
    command.addOption(added);
  }
  return command;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((child) => allCommands(child))];
}

/** Help and version were asked for and printed; anything else is wrong usage of this command. */
function endOfParsing(error: CommanderError, failed: Command): number {
  if (error.exitCode === 0) return 0;
  const help = `${fullName(failed)} --help`;
  if (error.code === 'commander.help') {
    const names = failed.commands.map((one) => one.name()).join(', ');
    throw new AppError('USAGE', 'a command is missing', { hint: `${help} lists them: ${names}` });
  }
  throw new AppError('USAGE', error.message.replace(/^error: /, '').replace(/\.$/, ''), { hint: help });
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
