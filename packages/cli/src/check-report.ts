import type { ExitCode } from './exit-codes'

/**
 * What was checked, in this order. A step is missing when it does not apply (no `dns` for an IP address, no `tls` for plain
 * http, no `discovery` for a definition that names its token endpoint), and when a step before it failed.
 */
export type CheckStepName =
  | 'definition'
  | 'dns'
  | 'connection'
  | 'tls'
  | 'discovery'
  | 'authentication'
  | 'token'
  | 'dpop'
  | 'api'

/** What one step found. No text in it holds a secret, an assertion or a token. */
export interface CheckStep {
  readonly step: CheckStepName
  /** `warning`: it works, but something looks wrong. */
  readonly status: 'ok' | 'warning' | 'failed'
  /** What was found, in one line. */
  readonly summary: string
  /**
   * What went wrong: for a token request the `error` of `TokenRequestError`, else the code of the platform (`ENOTFOUND`,
   * `CERT_HAS_EXPIRED`) or of this step. Only in failed steps.
   */
  readonly error?: string
  /** What the failure means. Only in failed steps. */
  readonly meaning?: string
  /** What to do about it, the likeliest first. */
  readonly remedies?: readonly string[]
  /** What looks wrong, and what to do about it. */
  readonly warnings?: readonly string[]
  /** A page that explains the failure. */
  readonly help?: string
  /** Facts about the step, by name. New ones may be added. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** What {@link check} found. */
export interface CheckReport {
  /** The version of this shape. New fields do not change it. */
  readonly version: 1
  /** Whether every step works. */
  readonly ok: boolean
  /** What `tokenward check` exits with. */
  readonly exitCode: ExitCode
  readonly steps: readonly CheckStep[]
}
