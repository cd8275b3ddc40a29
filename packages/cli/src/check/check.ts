import { ConfigurationError } from '@tokenward/core'
import type { CheckReport, CheckStep, CheckStepName } from '../check-report'
import type { ClientSettings } from '../client-settings'
import { type ReadyClient, readyClient } from '../definition/client-definition'
import { SettingsError } from '../definition/settings-error'
import { flagOf } from '../definition/settings-table'
import { EXIT_CODES, type ExitCode } from '../exit-codes'
import { type CheckedClient, managerOf } from './acquire-token'
import { apiSteps } from './api-step'
import { CheckContext } from './context'
import { secretProblem } from './explain-invalid-client'
import { serverSteps } from './server-steps'
import { failed, passed } from './step'
import { tokenSteps } from './token-steps'

/** Options of {@link check}. */
export interface CheckOptions {
  /** Called with each step when it is done. */
  onStep?: ((step: CheckStep) => void) | undefined
  /** The environment, for what concerns proxies and certificates. Default: that of the process. */
  environment?: Readonly<Record<string, string | undefined>> | undefined
}

const EXIT_CODE_OF: Readonly<Record<CheckStepName, ExitCode>> = {
  definition: EXIT_CODES.definition,
  dns: EXIT_CODES.connection,
  connection: EXIT_CODES.connection,
  tls: EXIT_CODES.connection,
  discovery: EXIT_CODES.discovery,
  authentication: EXIT_CODES.authentication,
  token: EXIT_CODES.token,
  dpop: EXIT_CODES.token,
  api: EXIT_CODES.api,
}

/**
 * Tries out a client, step by step: the server, its metadata, the client's authentication, the token, and an API. It ends at the
 * first step that fails, and says what that means and what to do. It does not throw: what is wrong is in the report.
 *
 * It sends one token request. When the server refuses a secret, it sends one more, with the secret where the server may expect it.
 *
 * @example
 * const { ok, steps } = await check({ issuer: 'https://login.company.com', clientId: 'a', clientSecretFile: 'secret.txt' })
 */
export async function check(settings: ClientSettings, options: CheckOptions = {}): Promise<CheckReport> {
  const steps: CheckStep[] = []
  for await (const step of allSteps(settings, options.environment ?? process.env)) {
    steps.push(step)
    options.onStep?.(step)
    if (step.status === 'failed') break
  }
  const last = steps.at(-1)
  const exitCode = last?.status === 'failed' ? EXIT_CODE_OF[last.step] : EXIT_CODES.ok
  return { version: 1, ok: exitCode === EXIT_CODES.ok, exitCode, steps }
}

async function* allSteps(
  settings: ClientSettings,
  environment: Readonly<Record<string, string | undefined>>,
): AsyncGenerator<CheckStep> {
  const context = new CheckContext(settings, environment)
  const ready = await defined(context)
  yield ready.step
  const { client, tokens } = ready
  if (!client || !tokens) return
  try {
    yield* serverSteps(new URL(String(settings.issuer ?? settings.tokenEndpoint)), client, environment)
    const token = yield* tokenSteps(context, client, tokens)
    if (token && settings.api !== undefined) yield* apiSteps(context, client, tokens, token)
  } finally {
    await tokens.close()
  }
}

interface Defined {
  readonly step: CheckStep
  readonly client?: ReadyClient
  readonly tokens?: CheckedClient
}

async function defined(context: CheckContext): Promise<Defined> {
  const { settings, text } = context
  try {
    if (settings.api !== undefined && !URL.canParse(settings.api))
      throw new SettingsError(['api: does not parse as a URL'])
    const client = await readyClient(
      settings,
      (transport) => context.observed.wrap(transport),
      (assertion) => context.noteAssertion(assertion),
    )
    for (const secret of client.secrets) text.addSecret(secret)
    const tokens = managerOf(client.definition)
    const odd = [...new Set(client.secrets.flatMap((secret) => secretProblem(secret) ?? []))]
    const server = settings.issuer ?? settings.tokenEndpoint
    const summary = `client '${settings.clientId}' at ${server}, by ${client.method}`
    const details = { clientId: settings.clientId, server, method: client.method, scope: settings.scope }
    return { step: passed('definition', summary, details, odd), client, tokens }
  } catch (error) {
    const problems = problemsOf(error)
    if (problems === undefined) throw error
    return { step: failed('definition', explain(problems)) }
  }
}

function problemsOf(error: unknown): readonly string[] | undefined {
  if (error instanceof SettingsError) return error.problems
  if (error instanceof ConfigurationError) return error.problems.map(({ option, message }) => `${option}: ${message}`)
  return undefined
}

function explain(problems: readonly string[]) {
  const [first = ''] = problems
  const [option = ''] = first.split(':')
  return {
    error: 'invalid_definition',
    summary: problems.join('; '),
    meaning: 'The definition of the client is incomplete or contradicts itself. Nothing was sent.',
    remedies: [
      /^\w+$/.test(option)
        ? `Mend ${option}: the flag --${flagOf(option)}, or that option of the config file.`
        : 'Mend what is named above.',
    ],
  }
}
