import { type ReadSettings, readSettings } from '../definition/read-settings'
import { type FlagValues, settingsOf } from './flags'
import type { Terminal } from './terminal'

/** The client that flags, environment and config file describe. @throws UsageError, SettingsError */
export async function clientOf(values: FlagValues, { environment, stderr }: Terminal): Promise<ReadSettings> {
  const flags = settingsOf(values)
  if (flags.clientSecret !== undefined) {
    const advice = 'use --client-secret-file, standard input (--client-secret-file -) or TOKENWARD_CLIENT_SECRET'
    stderr.write(
      `warning: --client-secret shows the secret in the list of processes and in the shell's history: ${advice}\n`,
    )
  }
  const config = typeof values.config === 'string' ? values.config : undefined
  const client = typeof values.client === 'string' ? values.client : undefined
  return readSettings({ flags, environment, config, client })
}
