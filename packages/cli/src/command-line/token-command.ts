import { ConfigurationError, createTokenManager, TokenRequestError } from '@tokenward/core'
import { explainTokenError } from '../check/explain-token-error'
import { readyClient } from '../definition/client-definition'
import { SettingsError } from '../definition/settings-error'
import { EXIT_CODES, type ExitCode } from '../exit-codes'
import { clientOf } from './client-of'
import type { Command } from './command'
import { CLIENT_FLAGS } from './flags'
import { UsageError } from './usage-error'

export const tokenCommand: Command = {
  name: 'token',
  summary: 'print an access token, for scripts',
  description: `Requests an access token and prints it, with a line break. Messages go to standard error. To a terminal it prints only with
--show, because what is on a screen is seen, and stays in its history.

Every option can be an environment variable (--client-id is TOKENWARD_CLIENT_ID), or stand in a config file.`,
  examples: [
    'curl -H "Authorization: Bearer $(tokenward token --config tokenward.json)" https://apis.company.com/invoice/list',
  ],
  flags: [
    ...CLIENT_FLAGS.filter(({ name }) => name !== 'api'),
    { name: 'show', help: 'print the token even if standard output is a terminal' },
  ],
  exitCodes: true,
  async run(values, terminal) {
    const { stdout, stderr } = terminal
    if (stdout.isTTY && !values.show)
      throw new UsageError(
        'standard output is a terminal: use --show to print the token there, or tokenward check to look at it',
      )
    const { settings, name } = await clientOf(values, terminal)
    if (settings.dpop && settings.dpopKeyFile === undefined)
      throw new SettingsError([
        'dpopKeyFile: missing: without its key a DPoP token is of no use, and a new key ends with this command',
      ])
    try {
      const client = await readyClient(settings)
      const tokens = createTokenManager({ clients: { [name]: client.definition } })
      try {
        const { value } = await tokens.getAccessToken(name)
        stdout.write(`${value}\n`)
        return EXIT_CODES.ok
      } catch (error) {
        if (!(error instanceof TokenRequestError)) throw error
        const {
          method,
          secrets: [secret],
        } = client
        const { meaning, remedies, help } = explainTokenError(error, { settings, method, secret })
        stderr.write(
          `${error.message}\n${meaning}\n${remedies.map((remedy) => `- ${remedy}\n`).join('')}More: ${help}\n`,
        )
        stderr.write('tokenward check, with the same options, looks at each step.\n')
        return exitCodeOf(error)
      } finally {
        await tokens.close()
      }
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      throw new SettingsError(error.problems.map(({ option, message }) => `${option}: ${message}`))
    }
  },
}

function exitCodeOf({ error, step }: TokenRequestError): ExitCode {
  if (error === 'network_error' || error === 'timeout') return EXIT_CODES.connection
  if (step === 'discovery') return EXIT_CODES.discovery
  if (error === 'invalid_client' || error === 'credential_unavailable') return EXIT_CODES.authentication
  return EXIT_CODES.token
}
