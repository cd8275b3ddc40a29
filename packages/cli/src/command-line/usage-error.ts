/** The command line is wrong. The program exits with {@link EXIT_CODES}.usage. */
export class UsageError extends Error {}
