import { type ClientAuth, TlsClientAuth as PlainTlsClientAuth } from 'openid-client'

const tlsMethods = new WeakSet<ClientAuth>()

/**
 * `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 §2): the certificate that the definition's `fetch` shows
 * is the credential. The `mtls_endpoint_aliases` of the server are used.
 */
export function TlsClientAuth(): ClientAuth {
  const method = PlainTlsClientAuth()
  tlsMethods.add(method)
  return method
}

/** Whether the method was made by {@link TlsClientAuth}. */
export function isTlsClientAuth(method: ClientAuth | undefined): boolean {
  return method !== undefined && tlsMethods.has(method)
}
