import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util'
import { nearestName } from '@tokenward/core'
import type { ClientSettings } from '../client-settings'
import { checkValue, parseVariable } from '../definition/setting-value'
import { flagOf, SETTINGS, type Setting } from '../definition/settings-table'
import { UsageError } from './usage-error'

/** A flag of one command. */
export interface Flag {
  readonly name: string
  /** What stands for its value in `--help`. Undefined: it has none. */
  readonly value?: string
  readonly repeated?: boolean
  readonly help: string
}

export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

/**
 * Reads the flags of a command.
 *
 * @throws UsageError that names the nearest known flag
 */
export function readFlags(args: readonly string[], flags: readonly Flag[]): FlagValues {
  const options: Record<string, ParseArgsOptionDescriptor> = {}
  for (const { name, value, repeated = false } of flags)
    options[name] = value === undefined ? { type: 'boolean' } : { type: 'string', multiple: repeated }
  options.help = { type: 'boolean', short: 'h' }
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true })
  const values: Record<string, string | boolean | string[]> = {}
  for (const token of tokens) {
    // Not repeated: the second word of a secret without quotes would be shown.
    if (token.kind === 'positional')
      throw new UsageError(
        `argument ${token.index + 1} after the command is not expected: options begin with --, and a value with spaces needs quotes`,
      )
    if (token.kind !== 'option') continue
    const { name, value, rawName } = token
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    if (!option) throw new UsageError(unknownFlag(rawName, name, Object.keys(options)))
    if (option.type === 'boolean') {
      if (value !== undefined) throw new UsageError(`--${name} has no value`)
      values[name] = true
      continue
    }
    // A value that looks like a flag is a forgotten value. With = it is meant so.
    if (value === undefined || (!token.inlineValue && /^--?[a-z]/.test(value)))
      throw new UsageError(`--${name} needs a value`)
    if (value === '') throw new UsageError(`--${name} is empty: is the variable set that it comes from?`)
    if (!option.multiple && name in values) throw new UsageError(`--${name} is given twice`)
    values[name] = option.multiple ? [...((values[name] as string[] | undefined) ?? []), value] : value
  }
  return values
}

function unknownFlag(raw: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return `${shown(raw)} is not an option${nearest ? `; did you mean --${nearest}?` : ''}`
}

/** What the user typed may be a secret at the wrong place. Its beginning is enough to find it. */
function shown(typed: string): string {
  return typed.length > 30 ? `${typed.slice(0, 8)}…` : typed
}

const VALUE_OF: Readonly<Partial<Record<Setting['kind'], string>>> = {
  url: 'URL',
  file: 'FILE',
  number: 'MS',
  files: 'FILE',
  list: 'URI',
  pairs: 'NAME=VALUE',
  text: 'TEXT',
  texts: 'TEXT',
}

const REPEATED = new Set<Setting['kind']>(['texts', 'files', 'list', 'pairs'])

/** The flags that describe a client. */
export const CLIENT_FLAGS: readonly Flag[] = [
  { name: 'config', value: 'FILE', help: 'a config file with clients (JSON)' },
  { name: 'client', value: 'NAME', help: 'which client of the config file' },
  ...SETTINGS.map(({ name, kind, help }): Flag => {
    const value = VALUE_OF[kind]
    const repeated = REPEATED.has(kind)
    return { name: flagOf(name), help, repeated, ...(value !== undefined && { value }) }
  }),
]

/** The client that flags describe. @throws UsageError */
export function settingsOf(values: FlagValues): ClientSettings {
  const settings: Record<string, unknown> = {}
  for (const setting of SETTINGS) {
    const flag = flagOf(setting.name)
    const given = values[flag]
    if (given === undefined) continue
    const checked =
      typeof given === 'string' ? parseVariable(setting, given) : checkValue(setting, pairsOf(flag, setting, given))
    if ('problem' in checked) throw new UsageError(`--${flag} ${checked.problem}`)
    settings[setting.name] = checked.value
  }
  return settings
}

function pairsOf(flag: string, { kind }: Setting, given: unknown): unknown {
  if (kind !== 'pairs') return given
  return Object.fromEntries(
    (given as string[]).map((pair) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
      if (name === undefined) throw new UsageError(`--${flag} must be NAME=VALUE`)
      return [name, value]
    }),
  )
}
