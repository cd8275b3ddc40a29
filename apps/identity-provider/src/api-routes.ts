import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JWTPayload } from 'jose'
import type { ApiName } from './clients'
import type { RecordedApiRequest } from './recorded-api-request'
import { sendJson } from './send-json'

const ITEMS: Readonly<Record<ApiName, readonly object[]>> = {
  catalog: [
    { id: 1, name: 'Workbench' },
    { id: 2, name: 'Vise' },
    { id: 3, name: 'Set of files' },
  ],
  invoice: [
    { id: 1001, total: 420 },
    { id: 1002, total: 75 },
  ],
}

/** Responds to a request whose token is valid. */
export function respond(
  name: ApiName,
  { method, url, headers, body }: RecordedApiRequest,
  claims: JWTPayload,
  response: ServerResponse,
): unknown {
  const base = `/${name}/`
  const { pathname, searchParams } = new URL(url.startsWith('/') ? `http://api${url}` : url)
  const [route = '', argument = ''] = pathname.startsWith(base) ? pathname.slice(base.length).split('/') : []
  switch (route) {
    case 'list':
      return sendJson(response, 200, ITEMS[name])
    case 'test':
      return sendJson(response, 200, { ok: true })
    case 'whoami': {
      const { sub, client_id, jti, scope, aud } = claims
      return sendJson(response, 200, { sub, client_id, jti, scope, aud })
    }
    case 'echo': {
      const sha256 = createHash('sha256').update(body).digest('hex')
      const text = body.length <= 10_240 ? body.toString('utf8') : undefined
      const contentType = headers['content-type']
      return sendJson(response, 200, { method, contentType, length: body.length, sha256, text })
    }
    case 'status':
      return sendStatus(response, Number(argument))
    case 'redirect':
      return redirect(response, searchParams.get('to') ?? base, Number(searchParams.get('status') ?? 302))
    case 'stream':
      return stream(response)
    default:
      return sendJson(response, 404, { error: 'not_found' })
  }
}

function sendStatus(response: ServerResponse, status: number): unknown {
  if (!isBetween(status, 200, 599)) return sendJson(response, 400, { error: 'no_such_status' })
  if (status === 204 || status === 304) return response.writeHead(status).end()
  return sendJson(response, status, { status })
}

function redirect(response: ServerResponse, to: string, status: number): unknown {
  if (!isBetween(status, 300, 399)) return sendJson(response, 400, { error: 'not_a_redirect_status' })
  // The query parser has unescaped it, and a header can only hold ASCII.
  const location = to.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
  return response.writeHead(status, { location }).end()
}

async function stream(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain' })
  for (let line = 1; line <= 5; line++) {
    response.write(`line ${line}\n`)
    // Without a pause, the lines would be sent as one chunk.
    await sleep(5, undefined, { ref: false })
  }
  response.end()
}

function isBetween(status: number, first: number, last: number): boolean {
  return Number.isInteger(status) && status >= first && status <= last
}
