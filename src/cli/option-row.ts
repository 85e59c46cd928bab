// Options of the command line as rows of a table, so that commands can share them and tests can read them.

/** What stands behind the option; `flag`: nothing. `times`: how often it was given. `duration`: milliseconds. */
export type ValueKind =
  | 'flag'
  | 'text'
  | 'list'
  | 'pids'
  | 'seconds'
  | 'duration'
  | 'count'
  | 'threads'
  | 'times'
  | 'rate';

export interface OptionRow {
  readonly flags: string;
  readonly kind: ValueKind;
  readonly description: string;
  readonly choices?: readonly string[];
  /** Unless it is given. */
  readonly value?: string;
}
