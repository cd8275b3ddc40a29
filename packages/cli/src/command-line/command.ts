import type { ExitCode } from '../exit-codes'
import type { Flag, FlagValues } from './flags'
import type { Terminal } from './terminal'

/** One command of the program. */
export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Further lines for its own help. */
  readonly description: string
  readonly examples: readonly string[]
  readonly flags: readonly Flag[]
  /** Explains the exit codes in its help. */
  readonly exitCodes?: boolean
  /** @throws UsageError, SettingsError */
  run(values: FlagValues, terminal: Terminal): Promise<ExitCode>
}
