import { parseArgs } from 'node:util'
import { startControlServer } from './control-server'
import { startIdentityProvider } from './index'

const USAGE = `usage: node apps/identity-provider/dist/main.js [--port 5001] [--lifetime 5]
  --port N      port of the authorization server (default 5001). The two APIs and the control server use the next
                three ports. 0: any free ports
  --lifetime N  lifetime of tokens, in seconds (default 5)

Lines on standard input change how it behaves while it runs:
  revoke   the APIs reject every token that was issued so far
  slow MS  the token endpoint responds MS milliseconds later
  fail N   the token endpoint responds to the next N requests with status 500
  clear    ends the delay and the faults

POST requests to the control server do the same:
  /control/revoke
  /control/token-endpoint?delayMs=MS&fail=N&status=500
  /control/clear`

function readOptions(): { port: number; lifetime: number } | undefined {
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string', default: '5001' }, lifetime: { type: 'string', default: '5' } },
    })
    const [port, lifetime] = [Number(values.port), Number(values.lifetime)]
    if (!Number.isInteger(port) || port < 0 || port > 65_532)
      throw new Error(`--port must be a whole number from 0 to 65532, not '${values.port}'`)
    if (!(lifetime >= 1))
      throw new Error(`--lifetime must be a number of seconds, at least 1, not '${values.lifetime}'`)
    return { port, lifetime }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) return
  const { port, lifetime } = options
  const [catalogPort, invoicePort, controlPort] = port === 0 ? [0, 0, 0] : [port + 1, port + 2, port + 3]
  const provider = await startIdentityProvider({ port, catalogPort, invoicePort, tokenLifetimeSeconds: lifetime })
  const control = await startControlServer(provider, controlPort)

  console.log(`issuer          ${provider.issuer}\ntoken endpoint  ${provider.tokenEndpoint}`)
  for (const { baseURL, audience } of [provider.catalog, provider.invoice])
    console.log(`API             ${baseURL} (${audience})`)
  console.log(`control         ${control.origin}/control/`)
  console.log('clients (public demo credentials):')
  for (const [name, { clientId, clientSecret, scope }] of Object.entries(provider.clients)) {
    console.log(`  ${name}: id '${clientId}', secret '${clientSecret}', scope '${scope}'`)
  }

  const commands: Record<string, (argument: number) => string> = {
    revoke: () => `the APIs reject ${provider.revokeIssued()} tokens from now on`,
    slow(ms) {
      provider.tokenEndpointFaults.delayMs = ms
      return `the token endpoint responds ${ms} ms later`
    },
    fail(times) {
      provider.tokenEndpointFaults.fail(times, { status: 500 })
      return `the token endpoint fails the next ${times} requests`
    },
    clear() {
      provider.tokenEndpointFaults.clear()
      return 'no delay and no faults any more'
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
  // When the control server cannot start, the other servers would keep the process alive.
  process.exit(1)
})
