import { parseArgs } from 'node:util'
import { startControlServer } from './control-server'
import { startIdentityProvider } from './index'

const USAGE = `usage: node dist/main.js [--port 5001] [--lifetime 5]
  --port      the authorization server's port (default 5001; the APIs and the control server take the three after it)
  --lifetime  how long tokens live, seconds (default 5)

While it runs, POST requests to the control server change how it behaves:
  /control/revoke                                       the APIs reject every token issued so far
  /control/token-endpoint?delayMs=MS&fail=N&status=500  the token endpoint is slow, or fails N times
  /control/clear                                        nothing goes wrong any more

So does a line on standard input:
  revoke        the APIs reject every token issued so far
  slow MS       the token endpoint takes MS milliseconds longer
  fail N        the token endpoint answers the next N requests with status 500
  clear         nothing goes wrong any more`

function options(): { port: number; lifetime: number } | undefined {
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string', default: '5001' }, lifetime: { type: 'string', default: '5' } },
    })
    const [port, lifetime] = [Number(values.port), Number(values.lifetime)]
    if (!Number.isInteger(port) || port < 0 || port > 65_532) throw new Error(`--port ${values.port} is no port`)
    if (!(lifetime >= 1)) throw new Error(`--lifetime ${values.lifetime} is no number of seconds of at least 1`)
    return { port, lifetime }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}

async function main(): Promise<void> {
  const chosen = options()
  if (!chosen) return
  const { port, lifetime } = chosen
  const [catalogPort, invoicePort, controlPort] = port === 0 ? [0, 0, 0] : [port + 1, port + 2, port + 3]
  const provider = await startIdentityProvider({ port, catalogPort, invoicePort, tokenLifetimeSeconds: lifetime })
  const control = await startControlServer(provider, controlPort)

  console.log(`issuer          ${provider.issuer}\ntoken endpoint  ${provider.tokenEndpoint}`)
  for (const { baseURL, audience } of [provider.catalog, provider.invoice])
    console.log(`API             ${baseURL} (${audience})`)
  console.log(`control         ${control.origin}/control/`)
  console.log('clients (demo credentials, no secrets):')
  for (const [name, { clientId, clientSecret, scope }] of Object.entries(provider.clients)) {
    console.log(`  ${name}: id '${clientId}', secret '${clientSecret}', scope '${scope}'`)
  }

  const commands: Record<string, (argument: number) => string> = {
    revoke: () => `${provider.revokeIssued()} tokens are rejected from now on`,
    slow(ms) {
      provider.tokenEndpointFaults.delayMs = ms
      return `the token endpoint takes ${ms} ms longer`
    },
    fail(times) {
      provider.tokenEndpointFaults.fail(times, { status: 500 })
      return `the token endpoint fails ${times} times`
    },
    clear() {
      provider.tokenEndpointFaults.clear()
      return 'nothing goes wrong any more'
    },
  }
  process.stdin.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
      const [name = '', argument = '1'] = line.trim().split(/\s+/)
      const command = Object.hasOwn(commands, name) ? commands[name] : undefined
      console.log(command && Number(argument) >= 0 ? command(Number(argument)) : USAGE)
    }
  })

  const stop = async () => {
    process.stdin.destroy()
    await Promise.all([control.close(), provider.close()])
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error)
  // A server that did start, before the port of another was found taken, would keep this alive.
  process.exit(1)
})
