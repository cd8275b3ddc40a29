import type { FaultResponse } from '@tokenward/identity-provider'

/** A `WWW-Authenticate` challenge with quoted values. */
export function challenge(scheme: string, parameters: Readonly<Record<string, string>>): string {
  const quoted = Object.entries(parameters).map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`)
  return `${scheme} ${quoted.join(', ')}`
}

/** The response of an API that refuses a token. */
export function refusal(
  status: 401 | 403,
  parameters: Readonly<Record<string, string>>,
  scheme = 'Bearer',
): Exclude<FaultResponse, string> {
  const body = { error: parameters.error ?? 'refused' }
  return { status, headers: { 'www-authenticate': challenge(scheme, parameters) }, body }
}

/** Claims as an API of Microsoft Entra demands them after a user or a service principal was changed. */
export const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'

/** A claims challenge as Microsoft Entra documents it. */
export function claimsChallenge(claims: string = CLAIMS, scheme = 'Bearer'): Exclude<FaultResponse, string> {
  const base64 = Buffer.from(claims).toString('base64')
  const parameters = { realm: '', error: 'insufficient_claims', claims: base64 }
  return refusal(401, { ...parameters, authorization_uri: 'https://login.example/authorize' }, scheme)
}
