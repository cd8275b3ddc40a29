import { dirname, resolve } from 'node:path'
import { nearestName } from '@tokenward/core'
import type { ClientSettings } from '../client-settings'
import { readSettingFile } from './read-file'
import { checkValue } from './setting-value'
import { SettingsError } from './settings-error'
import { SETTINGS } from './settings-table'

const MEMBERS = ['clients', '$schema']

/** A client from a config file. */
export interface ConfiguredClient {
  readonly name: string
  readonly settings: ClientSettings
}

/**
 * Reads one client from a config file: the one named `client`, or the only one.
 *
 * @throws SettingsError with everything that is wrong
 */
export async function readConfigFile(path: string, client: string | undefined): Promise<ConfiguredClient> {
  const clients = parse(path, await readSettingFile('config', path))
  const names = Object.keys(clients)
  const list = names.map((each) => `'${each}'`).join(', ')
  if (client === undefined && names.length !== 1)
    throw new SettingsError([`${path} has ${names.length} clients: choose one with --client (${list})`])
  const name = client ?? String(names[0])
  if (!Object.hasOwn(clients, name)) {
    const nearest = nearestName(name, names)
    const hint = nearest ? ` (did you mean '${nearest}'?)` : ''
    throw new SettingsError([`${path} has no client '${name}'${hint}; it has: ${list}`])
  }
  return { name, settings: checkClient(path, name, clients[name]) }
}

function parse(path: string, content: string): Record<string, unknown> {
  let config: unknown
  try {
    config = JSON.parse(content)
  } catch {
    // The parser's own message quotes the file, which may hold a secret.
    throw new SettingsError([`${path} is not valid JSON`])
  }
  const must = `${path} must be an object with the member "clients", an object: { "clients": { … } }`
  if (!isObject(config)) throw new SettingsError([must])
  const { clients, $schema } = config
  const unknown = Object.keys(config).filter((each) => !MEMBERS.includes(each))
  const problems = unknown.map((each) => `${path}: ${notAnOption(each, MEMBERS)}`)
  if ($schema !== undefined && typeof $schema !== 'string') problems.push(`${path}: $schema must be a string`)
  if (!isObject(clients)) throw new SettingsError([...problems, must])
  if (Object.keys(clients).length === 0) problems.push(`${path}: clients is empty`)
  if (problems.length > 0) throw new SettingsError(problems)
  return clients
}

function notAnOption(given: string, known: readonly string[]): string {
  const nearest = nearestName(given, known)
  return `${given} is not an option${nearest ? `; did you mean ${nearest}?` : ''}`
}

function checkClient(path: string, name: string, given: unknown): ClientSettings {
  const at = `${path}, client '${name}'`
  if (!isObject(given)) throw new SettingsError([`${at}: must be an object`])
  const problems: string[] = []
  const settings: Record<string, unknown> = {}
  for (const [option, value] of Object.entries(given)) {
    const setting = SETTINGS.find((each) => each.name === option)
    if (!setting) {
      const known = SETTINGS.map((each) => each.name)
      problems.push(`${at}: ${notAnOption(option, known)}`)
      continue
    }
    const checked = checkValue(setting, value)
    if ('problem' in checked) problems.push(`${at}: ${option} ${checked.problem}`)
    else if (setting.kind === 'file' || setting.kind === 'files') settings[option] = fromFolder(path, checked.value)
    else settings[option] = checked.value
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return settings
}

function fromFolder(config: string, files: unknown): string | string[] {
  return Array.isArray(files) ? files.map((each) => fromFolderOf(config, each)) : fromFolderOf(config, String(files))
}

function fromFolderOf(config: string, file: string): string {
  return file === '-' ? file : resolve(dirname(config), file)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
