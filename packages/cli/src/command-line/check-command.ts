import { check } from '../check/check'
import type { CheckReport } from '../check-report'
import { SettingsError } from '../definition/settings-error'
import { EXIT_CODES } from '../exit-codes'
import { clientOf } from './client-of'
import type { Command } from './command'
import { CLIENT_FLAGS } from './flags'
import { renderStep } from './render-step'
import { painter } from './terminal'

export const checkCommand: Command = {
  name: 'check',
  summary: 'try out a client step by step, and say what to do when something does not work',
  description: `Tries out a client: DNS, TLS, discovery, authentication, token, DPoP, and an API. It ends at the first step that
fails, and says what that means and what to do. Secrets, assertions and tokens are never shown.

Every option can be an environment variable (--client-id is TOKENWARD_CLIENT_ID), or stand in a config file.`,
  examples: [
    'tokenward check --issuer https://login.company.com --client-id worker --client-secret-file secret.txt',
    'tokenward check --config tokenward.json --client invoice.client --api https://apis.company.com/invoice/list',
  ],
  flags: [...CLIENT_FLAGS, { name: 'json', help: 'print the report as JSON' }],
  exitCodes: true,
  async run(values, terminal) {
    const { stdout, environment } = terminal
    const paint = painter(stdout, environment)
    const print = (text: string) => void stdout.write(`${text}\n`)
    const report = await reportOf(
      () => clientOf(values, terminal),
      environment,
      (step) => {
        if (!values.json) print(renderStep(step, paint))
      },
    )
    if (values.json) print(JSON.stringify(report, null, 2))
    else print(`\n${verdict(report)}`)
    return report.exitCode

    function verdict({ ok, steps, exitCode }: CheckReport): string {
      if (!ok) return paint('red', `It does not work: ${steps.at(-1)?.step} failed (exit code ${exitCode}).`)
      const hasApi = steps.some(({ step }) => step === 'api')
      const hint = hasApi ? '' : ' To call an API with the token: --api URL'
      const isWarned = steps.some(({ status }) => status === 'warning')
      return `${paint('green', isWarned ? 'It works, with warnings.' : 'It works.')}${hint}`
    }
  },
}

/** The report of {@link check}, also when there is nothing to check because the settings cannot be read. */
async function reportOf(
  read: () => ReturnType<typeof clientOf>,
  environment: Readonly<Record<string, string | undefined>>,
  onStep: (step: CheckReport['steps'][number]) => void,
): Promise<CheckReport> {
  try {
    const { settings } = await read()
    return await check(settings, { environment, onStep })
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    const step = {
      step: 'definition',
      status: 'failed',
      error: 'invalid_definition',
      summary: error.problems.join('; '),
      meaning: 'The settings cannot be used. Nothing was sent.',
      remedies: ['Mend what is named above.'],
    } as const
    onStep(step)
    return { version: 1, ok: false, exitCode: EXIT_CODES.definition, steps: [step] }
  }
}
