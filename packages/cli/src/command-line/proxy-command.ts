import { ConfigurationError, createTokenManager, isLoopback } from '@tokenward/core'
import { proxyFor } from '../check/proxy'
import { readyClient } from '../definition/client-definition'
import { SettingsError } from '../definition/settings-error'
import { EXIT_CODES } from '../exit-codes'
import { clientOf } from './client-of'
import type { Command } from './command'
import { CLIENT_FLAGS, type FlagValues } from './flags'
import { numberOf } from './number-of'
import { UsageError } from './usage-error'

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

export const proxyCommand: Command = {
  name: 'proxy',
  summary: 'forward requests of local programs to an API, with access tokens',
  description: `Listens on 127.0.0.1 and forwards each request to an API, with an access token, for programs in any language. Tokens are cached,
renewed ahead, and replaced when the API responds 401. Bodies and responses are streamed, WebSocket connections too.

Whoever can connect to it can call the API. It refuses requests of web pages. GET /.tokenward/ready responds 204 when a token can be had.

Every option of the client can be an environment variable (--client-id is TOKENWARD_CLIENT_ID), or stand in a config file.`,
  examples: [
    'tokenward proxy --config tokenward.json --to https://apis.company.com/invoice/',
    'curl http://127.0.0.1:8400/list',
  ],
  flags: [
    { name: 'to', value: 'URL', help: 'the API that requests go to; their paths are joined to its path' },
    { name: 'port', value: 'N', help: 'the port to listen on, default 8400; 0: any' },
    { name: 'host', value: 'ADDRESS', help: 'the address to listen on, default 127.0.0.1' },
    {
      name: 'allow-host',
      value: 'NAME',
      repeated: true,
      help: 'a name by which callers reach the proxy, in addition to localhost and addresses; may be repeated',
    },
    {
      name: 'step-up-scope',
      value: 'SCOPE',
      repeated: true,
      help: 'a scope that the API may demand in a 403, and that is then requested; may be repeated',
    },
    ...CLIENT_FLAGS.filter(({ name }) => name !== 'api'),
  ],
  exitCodes: true,
  async run(values, terminal) {
    const to = targetOf(values)
    const port = numberOf(values, 'port', 8400, { least: 0, most: 65_535, whole: true })
    const host = typeof values.host === 'string' ? values.host : '127.0.0.1'
    const allowedHosts = (values['allow-host'] as readonly string[] | undefined) ?? []
    const stepUpScopes = (values['step-up-scope'] as readonly string[] | undefined) ?? []
    const { settings, name } = await clientOf(values, terminal)
    const { stdout, stderr, environment } = terminal
    if (!LOOPBACK.includes(host))
      stderr.write(`warning: everyone who can connect to ${host} can call ${to.origin} with the tokens of '${name}'\n`)
    const { definition, tls } = await readyClient(settings)
    const print = (line: unknown) => void stderr.write(`${line}\n`)
    const logger = { debug() {}, info() {}, warn: print, error: print }
    try {
      const tokens = createTokenManager({ clients: { [name]: definition }, logger })
      // Loaded only here: the other commands do not need its HTTP client.
      const { startProxy } = await import('../proxy/proxy')
      // A token for this machine that goes by plain http must not reach a proxy, which may be another machine.
      const staysHere = to.protocol === 'http:' && isLoopback(to.hostname)
      const usesEnvironmentProxy = !staysHere && proxyFor(to, environment).used
      const proxy = await startProxy(
        { to, host, port, allowedHosts, stepUpScopes },
        { tokens, client: name, tls, usesEnvironmentProxy },
      )
      stdout.write(`forwards ${proxy.origin} to ${to.href}, with tokens of '${name}'\n`)
      // The first request need not wait. A failure is logged, and tried again by the next request.
      tokens.warmUp([name]).catch(() => {})
      await stopped()
      await proxy.close()
      await tokens.close()
      return EXIT_CODES.ok
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      throw new SettingsError(error.problems.map(({ option, message }) => `${option}: ${message}`))
    }
  },
}

function targetOf({ to }: FlagValues): URL {
  if (typeof to !== 'string') throw new UsageError('--to is missing: the URL of the API that requests go to')
  const url = URL.canParse(to) ? new URL(to) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new UsageError('--to must be a URL that begins with https:// or http://')
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new UsageError('--to must have no query, no fragment and no user name')
  return url
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve())
  })
}
