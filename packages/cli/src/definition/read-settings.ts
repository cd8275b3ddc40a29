import type { ClientSettings } from '../client-settings'
import { readConfigFile } from './config-file'
import { parseVariable } from './setting-value'
import { SettingsError } from './settings-error'
import { flagOf, SETTINGS, type Setting, variableOf } from './settings-table'

/** Where a client's settings come from. Flags win over the environment, and that wins over the config file. */
export interface SettingSources {
  readonly flags: ClientSettings
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly config?: string | undefined
  readonly client?: string | undefined
}

/** The settings of one client, and where each comes from, for messages. */
export interface ReadSettings {
  /** The client's name in the config file; else its client id. */
  readonly name: string
  readonly settings: ClientSettings
  readonly origins: Readonly<Partial<Record<keyof ClientSettings, string>>>
}

type Layer = { readonly settings: ClientSettings; readonly origin: (setting: Setting) => string }

/** @throws SettingsError with everything that is wrong */
export async function readSettings({ flags, environment, ...sources }: SettingSources): Promise<ReadSettings> {
  const config = sources.config ?? nonEmpty(environment.TOKENWARD_CONFIG)
  const client = sources.client ?? nonEmpty(environment.TOKENWARD_CLIENT)
  if (client !== undefined && config === undefined)
    throw new SettingsError(['--client names a client of a config file: give that with --config'])
  const configured = config === undefined ? undefined : await readConfigFile(config, client)
  const layers: Layer[] = [
    { settings: flags, origin: ({ name }) => `--${flagOf(name)}` },
    { settings: fromEnvironment(environment), origin: ({ name }) => variableOf(name) },
    { settings: configured?.settings ?? {}, origin: () => String(config) },
  ]
  const settings: Record<string, unknown> = {}
  const origins: Partial<Record<keyof ClientSettings, string>> = {}
  for (const setting of SETTINGS) {
    const layer = layers.find((each) => each.settings[setting.name] !== undefined)
    if (!layer || isReplaced(setting, layer, layers)) continue
    settings[setting.name] = layer.settings[setting.name]
    origins[setting.name] = layer.origin(setting)
  }
  const merged = settings as ClientSettings
  return { name: configured?.name ?? merged.clientId ?? 'client', settings: merged, origins }
}

/** Whether a layer above has another setting of the same group. */
function isReplaced({ group }: Setting, layer: Layer, layers: readonly Layer[]): boolean {
  if (group === undefined) return false
  const above = layers.slice(0, layers.indexOf(layer))
  const rivals = SETTINGS.filter((each) => each.group === group)
  return above.some(({ settings }) => rivals.some(({ name }) => settings[name] !== undefined))
}

function fromEnvironment(environment: SettingSources['environment']): ClientSettings {
  const problems: string[] = []
  const settings: Record<string, unknown> = {}
  for (const setting of SETTINGS) {
    const variable = variableOf(setting.name)
    const text = nonEmpty(environment[variable])
    if (text === undefined) continue
    const parsed = parseVariable(setting, text)
    if ('problem' in parsed) problems.push(`${variable} ${parsed.problem}`)
    else settings[setting.name] = parsed.value
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return settings
}

/** An empty variable counts as none, as in most programs. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
