import type { FoundIssuer } from './explain-discovery'

const DOCUMENTS = ['.well-known/openid-configuration', '.well-known/oauth-authorization-server']
/** An issuer has few parts. More requests would look like an attack. */
const MOST_REQUESTS = 8

/** Looks for metadata at the URLs above an issuer that has none, on the same server. They are public documents. */
export async function findIssuer(
  configured: string,
  transport: typeof fetch,
  timeoutMs: number,
): Promise<FoundIssuer | undefined> {
  const signal = AbortSignal.timeout(timeoutMs)
  const urls = parentsOf(configured).flatMap((parent) => DOCUMENTS.map((document) => `${parent}/${document}`))
  for (const url of urls.slice(0, MOST_REQUESTS)) {
    try {
      const response = await transport(url, { redirect: 'manual', signal })
      if (response.status !== 200) continue
      const { issuer } = (await response.json()) as { issuer?: unknown }
      if (typeof issuer === 'string' && URL.canParse(issuer)) return { issuer }
    } catch {
      if (signal.aborted) return undefined
    }
  }
  return undefined
}

/** `https://host/a/b` → `https://host/a`, `https://host`. Of a URL of a document: what stands before `/.well-known/`. */
function parentsOf(configured: string): string[] {
  const { origin, pathname } = new URL(configured)
  const [before = '', document] = pathname.split('/.well-known/')
  const parts = before.split('/').filter((part) => part !== '')
  const first = document === undefined ? parts.length - 1 : parts.length
  const parents: string[] = []
  for (let length = first; length >= 0; length--) parents.push([origin, ...parts.slice(0, length)].join('/'))
  return parents
}
