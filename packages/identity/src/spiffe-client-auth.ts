import type { ClientAuth } from '@tokenward/core'
import type { IdentityTokenSupplier } from './identity-token'

const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

/**
 * Client authentication by a JWT-SVID, with the assertion type of SPIFFE: for `clientAuth` of a definition. Keycloak demands it. For
 * a server that takes a JWT-SVID as any other JWT, pass the supplier to `clientAssertion` instead.
 *
 * https://datatracker.ietf.org/doc/draft-ietf-oauth-spiffe-client-auth/ (draft 02)
 *
 * @param svid what supplies the JWT-SVID: `spiffeToken()`, or `fileToken(…)` for a file that spiffe-helper writes
 */
export function SpiffeJwt(svid: IdentityTokenSupplier): ClientAuth {
  // openid-client waits for what the function returns, though its type does not say so.
  return async ({ issuer }, { client_id }, body) => {
    const assertion = await svid({ audience: issuer })
    body.set('client_id', client_id)
    body.set('client_assertion_type', JWT_SPIFFE)
    body.set('client_assertion', assertion)
  }
}
