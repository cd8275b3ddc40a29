/** The longest claims that are passed on, in characters. Those of Microsoft Entra have some hundred. */
const LONGEST_CLAIMS = 4_096

/** What claims demand of an access token, as JSON. Undefined when they are something else. */
export function accessTokenClaims(json: string): string | undefined {
  try {
    const { access_token } = JSON.parse(json)
    const claims = JSON.stringify({ access_token })
    return typeof access_token === 'object' && access_token !== null && claims.length <= LONGEST_CLAIMS
      ? claims
      : undefined
  } catch {
    return undefined
  }
}
