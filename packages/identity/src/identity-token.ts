import type { Clock } from '@tokenward/core'

/** What the supplier of an identity token is told. Both what `clientAssertion` and what the grants pass fits. */
export interface IdentityContext {
  /** The audience of the token, unless the supplier has an `audience` of its own: the authorization server's issuer. */
  readonly audience: string
  /** Ends the request to the platform. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Supplies a token that says who this workload is. It fits `clientAssertion` of a definition, `subjectToken` and `actorToken` of
 * `tokenExchange`, and `assertion` of `jwtBearer`. Each call asks the platform again, so a token that was rotated is used at once.
 *
 * @throws IdentityError when the platform gives no token.
 */
export type IdentityTokenSupplier = (context: IdentityContext) => Promise<string>

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Options that all suppliers have. */
export interface IdentityTokenOptions {
  /** The time limit of one call, in milliseconds. Default 5,000. */
  timeoutMs?: number | undefined
  /** The environment variables. They are read at each call. Default: those of the process. */
  env?: Environment | undefined
  /** The time, for tests. Default: the platform's. */
  clock?: Pick<Clock, 'now' | 'setTimeout'> | undefined
}

/** Options of suppliers that ask an HTTP endpoint. */
export interface HttpIdentityTokenOptions extends IdentityTokenOptions {
  /** Sends the requests, with `redirect: 'manual'`. Default: see the supplier. */
  fetch?: typeof fetch | undefined
}
