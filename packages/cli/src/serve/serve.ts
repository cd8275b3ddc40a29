import { type IdentityProvider, startControlServer, startIdentityProvider } from '@tokenward/identity-provider'
import type { Terminal } from '../command-line/terminal'
import { UsageError } from '../command-line/usage-error'
import { EXIT_CODES, type ExitCode } from '../exit-codes'
import { announcement } from './announcement'
import type { ServeOptions } from './serve-options'

/** Runs the servers until SIGINT or SIGTERM. */
export async function serve(options: ServeOptions, { stdin, stdout }: Terminal): Promise<ExitCode> {
  const { provider, control } = await start(options)
  const print = (text: string) => void stdout.write(`${text}\n`)
  print(announcement(provider, control.origin, options))

  stdin.setEncoding('utf8')
  stdin.on('error', () => {})
  stdin.on('data', (text: string) => {
    for (const line of text.split('\n').filter((each) => each.trim() !== '')) print(obey(line, provider))
  })
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve())
  })
  await stopped
  stdin.destroy()
  await Promise.all([control.close(), provider.close()])
  print('stopped')
  return EXIT_CODES.ok
}

async function start({ port, lifetimeSeconds, dpop, failRate, delayMs }: ServeOptions) {
  const [catalogPort, invoicePort, controlPort] = port === 0 ? [0, 0, 0] : [port + 1, port + 2, port + 3]
  let provider: IdentityProvider | undefined
  try {
    provider = await startIdentityProvider({
      port,
      catalogPort,
      invoicePort,
      tokenLifetimeSeconds: lifetimeSeconds,
      requiresDPoP: dpop,
    })
    provider.tokenEndpointFaults.delayMs = delayMs
    provider.tokenEndpointFaults.failAtRate(failRate, { status: 503 })
    return { provider, control: await startControlServer(provider, controlPort) }
  } catch (error) {
    await provider?.close()
    const { code, port: taken } = error as { code?: string; port?: number }
    if (code === 'EADDRINUSE') throw new UsageError(`port ${taken} is in use: choose others with --port`)
    if (code === 'EACCES') throw new UsageError(`port ${taken} needs more rights: choose others with --port`)
    throw error
  }
}

const LINES = 'lines that are understood: revoke, slow MS, fail N, clear'

/** Does what a line says. Returns what has changed. */
function obey(line: string, { tokenEndpointFaults, revokeIssued }: IdentityProvider): string {
  const [name, argument = '1'] = line.trim().split(/\s+/)
  const value = Number(argument)
  if (!Number.isInteger(value) || value < 0 || value > 600_000) return LINES
  switch (name) {
    case 'revoke':
      return `the APIs reject ${revokeIssued()} tokens from now on`
    case 'slow':
      tokenEndpointFaults.delayMs = value
      return `the token endpoint responds ${value} ms later`
    case 'fail':
      tokenEndpointFaults.fail(value, { status: 500 })
      return `the token endpoint fails the next ${value} requests`
    case 'clear':
      tokenEndpointFaults.clear()
      return 'no delay and no faults any more'
    default:
      return LINES
  }
}
