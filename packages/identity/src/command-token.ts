import type { IdentityTokenOptions, IdentityTokenSupplier } from './identity-token'
import { connectionCode } from './internal/ask'
import { type Attempt, attempt } from './internal/attempt'
import { requiredBuiltin } from './internal/builtin'
import { checkedToken, MOST_CHARACTERS, type TokenFormat } from './internal/checked-token'
import { OptionChecks } from './internal/options'

/** Options of {@link commandToken}. */
export interface CommandTokenOptions extends IdentityTokenOptions {
  /** What the command prints: a JWT, which is checked for its form and its expiry, or any other token. Default `jwt`. */
  format?: TokenFormat | undefined
}

/**
 * The token that a command prints. It is run at each call, without a shell, and with nothing as its input. What it prints as errors
 * is dropped, because it may contain secrets. After `timeoutMs` it is killed.
 *
 * @example
 * ```ts
 * clientAssertion: commandToken('gcloud', ['auth', 'print-identity-token'])
 * ```
 */
export function commandToken(
  command: string,
  args: readonly string[] = [],
  options: CommandTokenOptions = {},
): IdentityTokenSupplier {
  const checks = new OptionChecks('commandToken')
  if (typeof command !== 'string' || command === '') checks.problem('command', 'must be a text, not empty')
  if (!Array.isArray(args) || args.some((arg) => typeof arg !== 'string')) checks.problem('args', 'must be texts')
  checks.known(options, { format: 'text' })
  checks.throwIfAny()
  const given = [...args]
  return (context) =>
    attempt('command', options, context, async (current) => {
      const text = await outputOf(current, command, given)
      return checkedToken(current, text, { source: `the output of '${command}'`, format: options.format })
    })
}

async function outputOf(attempt: Attempt, command: string, args: readonly string[]): Promise<string> {
  const { spawn } = requiredBuiltin(attempt, 'processes', (process) => process.getBuiltinModule('node:child_process'))
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: attempt.env as NodeJS.ProcessEnv,
      signal: attempt.signal,
      killSignal: 'SIGKILL',
      windowsHide: true,
    })
    let output = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      output += text
      if (output.length <= MOST_CHARACTERS) return
      reject(attempt.error('invalid_response', `'${command}' prints more than ${MOST_CHARACTERS} characters`))
      child.kill('SIGKILL')
    })
    child.once('error', (error) => {
      const code = connectionCode(error) ?? 'unknown error'
      const message = code === 'ENOENT' ? 'was not found' : `cannot be run (${code})`
      reject(attempt.error('not_available', `'${command}' ${message}`))
    })
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const how = code === null ? `was ended by ${signal}` : `exited with code ${code}`
      reject(attempt.error('refused', `'${command}' ${how}`))
    })
  })
}
