/** Members of a token response that tokenward does not use, but for a grant that keeps the refresh token. */
const UNUSED = ['id_token', 'refresh_token']

/**
 * The token response without what must not make it invalid: an ID token, which openid-client would verify though nobody reads
 * it (and cannot where no issuer is known), and members that are `null` instead of missing.
 *
 * @param used a member that the grant uses
 */
export async function withoutUnusedMembers(response: Response, used?: string | undefined): Promise<Response> {
  if (response.status !== 200) return response
  const { status, headers } = response
  const text = await response.text()
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {}
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const kept =
    isObject &&
    Object.entries(body as object).filter(
      ([name, value]) => value !== null && (name === used || !UNUSED.includes(name)),
    )
  return new Response(kept ? JSON.stringify(Object.fromEntries(kept)) : text, { status, headers })
}
