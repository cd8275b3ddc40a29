/** What is wrong with the settings of a client. The program exits with {@link EXIT_CODES}.definition. */
export class SettingsError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}
