import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { COMMANDS, type Command, type LiveState } from './live-state'

/** How often the page gets the state. */
const SENDS_EVERY_MS = 150
/** A page uses one connection for the state. */
const MOST_PAGES = 20

export interface PageServerOptions {
  /** 0: any free port. */
  readonly port: number
  /** The folder with the files of the page. */
  readonly folder: string
  readonly state: () => LiveState
  /** Does what a button says. Returns a sentence that says what was done. */
  readonly run: (command: Command) => Promise<string>
}

export interface PageServer {
  /** The URL of the page. Its path has a secret that lets this page press the buttons. */
  readonly url: string
  close(): Promise<void>
}

const FILES: Readonly<Record<string, { file: string; type: string }>> = {
  '': { file: 'index.html', type: 'text/html; charset=utf-8' },
  'style.css': { file: 'style.css', type: 'text/css; charset=utf-8' },
  'page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
  'icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
}

const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/**
 * Serves the page on 127.0.0.1. Another page in the same browser can send requests to this server, so each request needs the secret
 * path, and its `Host` has to be this server's own (a name of an attacker may resolve to 127.0.0.1). A command needs the right `Origin`
 * too.
 *
 * @throws Error when the port is taken
 */
export async function startPageServer({ port, folder, state, run }: PageServerOptions): Promise<PageServer> {
  const files = new Map(
    Object.entries(FILES).map(([path, { file, type }]) => [path, { type, body: readFileSync(join(folder, file)) }]),
  )
  const secret = randomBytes(24).toString('base64url')
  const pages = new Set<ServerResponse>()
  const server = createServer((request, response) => void respond(request, response))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const { port: actualPort } = server.address() as AddressInfo
  const hosts = [`127.0.0.1:${actualPort}`, `localhost:${actualPort}`]

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const end = (status: number, text = '', headers = {}) =>
      response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8', ...headers }).end(text)
    request.resume()
    const host = hosts.find((each) => each === request.headers.host)
    if (!host) return void end(421, `This server responds to http://${hosts[0]} only.`)
    const [, key = '', ...rest] = (request.url ?? '').split('/')
    if (!isSame(key, secret)) return void end(404, 'Use the URL that the sample printed. It has a secret in its path.')
    const path = rest.join('/')
    if (request.method === 'POST') return command(request.headers.origin === `http://${host}`, path, end)
    if (request.method !== 'GET') return void end(405, '', { allow: 'GET, POST' })
    if (path === 'state') return stream(response, end)
    const file = rest.length > 0 ? files.get(path) : undefined
    if (!file) return void end(404)
    response.writeHead(200, { ...HEADERS, 'content-type': file.type }).end(file.body)
  }

  async function command(
    isFromPage: boolean,
    path: string,
    end: (status: number, text?: string) => unknown,
  ): Promise<void> {
    if (!isFromPage) return void end(403, 'Only the page itself may press its buttons.')
    const wanted = COMMANDS.find((each) => `commands/${each}` === path)
    if (!wanted) return void end(404)
    try {
      end(200, await run(wanted))
    } catch (error) {
      end(500, error instanceof Error ? error.message : String(error))
    }
  }

  /** Sends the state as server-sent events. */
  function stream(response: ServerResponse, end: (status: number, text?: string) => unknown): void {
    if (pages.size >= MOST_PAGES) return void end(503, 'Too many pages are open.')
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
    response.write(eventOf(state()))
    pages.add(response)
    response.on('close', () => pages.delete(response))
  }

  const timer = setInterval(() => {
    const event = eventOf(state())
    for (const page of pages) {
      // A page that does not read, for example one in a suspended browser, gets the next state and not all that it missed.
      if (!page.writableNeedDrain) page.write(event)
    }
  }, SENDS_EVERY_MS)

  return {
    url: `http://${hosts[0]}/${secret}/`,
    async close() {
      clearInterval(timer)
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function eventOf(state: LiveState): string {
  return `data: ${JSON.stringify(state)}\n\n`
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
