import type { AccessToken } from '@tokenward/core'
import { calculateJwkThumbprint } from 'jose'
import type { CheckStep } from '../check-report'
import type { ReadyClient } from '../definition/client-definition'
import type { CheckContext } from './context'
import { audienceOf, type ReadJwt, readJwt, scopesOf, words } from './jwt'
import { failed, passed } from './step'

/** A shorter lifetime means many token requests. */
const SHORT_SECONDS = 60

/** What the token is: type, lifetime, scope, and the claims of a JWT. */
export function tokenStep({ settings, text }: CheckContext, { value, type, expiresAt, scope }: AccessToken): CheckStep {
  const read = readJwt(value)
  const lifetimeSeconds = expiresAt && Math.round((expiresAt.getTime() - Date.now()) / 1_000)
  const requested = settings.scope === undefined ? undefined : words(settings.scope)
  const granted = scope === undefined ? undefined : words(scope)
  const warnings = [
    ...scopeWarnings(requested, granted, read.format === 'jwt' ? scopesOf(read.claims) : undefined),
    ...lifetimeWarnings(lifetimeSeconds),
    ...(read.format === 'jwt' ? claimWarnings(read, settings, lifetimeSeconds) : []),
    ...(read.format === 'unsigned'
      ? ['The token is a JWT without a signature: anyone could make one. Its claims are not shown.']
      : []),
  ].map((warning) => text.quote(warning))
  const details = text.value({
    type,
    format: read.format,
    lifetimeSeconds,
    expiresAt: expiresAt?.toISOString(),
    requestedScope: settings.scope,
    grantedScope: scope,
    ...(read.format === 'jwt' && { header: read.header, claims: read.claims }),
  })
  const lives = lifetimeSeconds === undefined ? 'without a lifetime' : `for ${lifetimeSeconds} s`
  const scopes = granted === undefined ? 'no scope named' : `scope '${granted.join(' ')}'`
  const summary = text.quote(`a ${type} token, ${read.format === 'jwt' ? 'JWT' : read.format}, ${lives}, ${scopes}`)
  return passed('token', summary, details as CheckStep['details'], warnings)
}

function scopeWarnings(requested?: string[], granted?: string[], claimed?: string[]): string[] {
  const missing = (have: string[]) =>
    (requested ?? []).filter((each) => !have.includes(each) && !each.endsWith('/.default'))
  const warnings: string[] = []
  if (granted && missing(granted).length > 0)
    warnings.push(`Not granted: ${quoted(missing(granted))}. Allow it for this client at the authorization server.`)
  else if (claimed && claimed.length > 0 && missing(claimed).length > 0)
    warnings.push(`The token has the scope ${quoted(claimed)}, without ${quoted(missing(claimed))}.`)
  return warnings
}

function lifetimeWarnings(seconds: number | undefined): string[] {
  if (seconds === undefined) return ['The response has no expires_in: a worker assumes 5 minutes (defaultLifetimeMs).']
  if (seconds <= 0) return ['The token had expired when it was issued: look at the lifetime of tokens at the server.']
  return seconds < SHORT_SECONDS ? [`It lives for ${seconds} s only, so a worker requests a token often.`] : []
}

function claimWarnings({ claims }: ReadJwt, settings: CheckContext['settings'], lifetimeSeconds?: number): string[] {
  const warnings: string[] = []
  const audience = audienceOf(claims)
  const wanted = [settings.resource ?? [], settings.audience ?? []].flat()
  const missing = wanted.filter((each) => !audience.includes(each))
  if (audience.length === 0)
    warnings.push('The token has no audience (aud), so an API cannot tell that it is meant for it.')
  else if (missing.length > 0)
    warnings.push(`The token is for ${quoted(audience)}, not for ${quoted(missing)}, which was requested.`)
  else if (
    settings.api !== undefined &&
    audience.every(isHttpUrl) &&
    !audience.some((each) => isSameOrigin(each, settings.api))
  )
    warnings.push(`The token is for ${quoted(audience)}, and the API is at ${new URL(settings.api).origin}.`)
  if (typeof claims.iss === 'string' && settings.issuer !== undefined && claims.iss !== settings.issuer)
    warnings.push(
      `The issuer of the token is '${claims.iss}', and the definition has '${settings.issuer}'. An API compares it.`,
    )
  const now = Date.now() / 1_000
  if (typeof claims.nbf === 'number' && claims.nbf > now + 5)
    warnings.push('By the clock of this machine, the token is not valid yet (nbf): compare the clocks.')
  if (
    typeof claims.exp === 'number' &&
    lifetimeSeconds !== undefined &&
    Math.abs(claims.exp - now - lifetimeSeconds) > 60
  )
    warnings.push("Its exp does not fit expires_in: compare the clock of this machine with the server's.")
  return warnings
}

/** Whether the token is bound to the key of the client. */
export async function dpopStep(client: ReadyClient, { value }: AccessToken, nonceRetries: number): Promise<CheckStep> {
  const read = readJwt(value)
  const confirmation = read.format === 'jwt' ? (read.claims.cnf as { jkt?: unknown } | undefined)?.jkt : undefined
  const thumbprint = client.dpopKey && (await calculateJwkThumbprint(client.dpopKey.jwk))
  const details = {
    thumbprint,
    boundTo: typeof confirmation === 'string' ? confirmation.slice(0, 100) : undefined,
    nonceRetries,
  }
  const nonce = nonceRetries > 0 ? ', and its nonce was used' : ''
  if (read.format !== 'jwt')
    return passed('dpop', `the server accepts the proof${nonce}; an opaque token does not say its key`, details)
  if (typeof confirmation !== 'string' || (thumbprint !== undefined && confirmation !== thumbprint)) {
    return failed(
      'dpop',
      {
        error: 'token_not_bound',
        summary: 'the token is not bound to the key of the client',
        meaning: 'It says type DPoP, but its cnf.jkt is missing or names another key. An API refuses it.',
        remedies: ['This is a fault of the authorization server: ask who runs it.'],
      },
      details,
    )
  }
  const own = client.dpopKey
    ? []
    : ['The key was made for this check. A fleet that shares tokens needs one key: dpop: { key }.']
  return passed('dpop', `the token is bound to the key of the client${nonce}`, {
    ...details,
    ...(own.length > 0 && { note: own[0] }),
  })
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text)
}

function isSameOrigin(a: string, b: string | undefined): boolean {
  return b !== undefined && URL.canParse(b) && new URL(a).origin === new URL(b).origin
}

function quoted(values: readonly string[]): string {
  return values.map((each) => `'${each}'`).join(', ')
}
