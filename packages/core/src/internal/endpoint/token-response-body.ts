/** Members of a token response that openid-client does not get. */
const UNUSED = ['id_token', 'refresh_token']

/** What a token response has, before anything of it is checked. */
export type ResponseMembers = Readonly<Record<string, unknown>>

/**
 * The token response without what must not make it invalid: an ID token, which openid-client would verify though nobody reads
 * it (and cannot where no issuer is known), and members that are `null` instead of missing.
 *
 * @param received gets all members that are not `null`
 */
export async function withoutUnusedMembers(
  response: Response,
  received?: ((members: ResponseMembers) => void) | undefined,
): Promise<Response> {
  if (response.status !== 200) return response
  const { status, headers } = response
  const text = await response.text()
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {}
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return new Response(text, { status, headers })
  const members = Object.entries(body).filter(([, value]) => value !== null)
  received?.(Object.fromEntries(members))
  const kept = members.filter(([name]) => !UNUSED.includes(name))
  return new Response(JSON.stringify(Object.fromEntries(kept)), { status, headers })
}
