/** What the program `tokenward` exits with. Each code has one meaning, and keeps it. */
export const EXIT_CODES = {
  /** Everything that was checked works. Warnings do not change that. */
  ok: 0,
  /** The program itself failed. */
  unexpected: 1,
  /** The command line is wrong: an unknown flag, a missing value. */
  usage: 2,
  /** The definition is incomplete or contradicts itself, or a file that it names cannot be read. */
  definition: 3,
  /** The server cannot be reached: DNS, connection, TLS or time limit. */
  connection: 4,
  /** The metadata of the issuer is missing or wrong. */
  discovery: 5,
  /** The server does not accept the client, or the client's credential cannot be had. */
  authentication: 6,
  /** The server accepts the client, but issues no token, or none that can be used. */
  token: 7,
  /** The API does not accept the token, or cannot be reached. */
  api: 8,
} as const

/** One of the values of `EXIT_CODES`. */
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]
