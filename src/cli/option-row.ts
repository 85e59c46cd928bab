// Options of the command line as rows of a table, so that commands can share them and tests can read them.

/** What stands behind the option; `flag`: nothing. `times`: how often it was given. */
type ValueKind = 'flag' | 'text' | 'list' | 'pids' | 'seconds' | 'count' | 'times' | 'rate';

export interface OptionRow {
  readonly flags: string;
  readonly kind: ValueKind;
  readonly description: string;
}
