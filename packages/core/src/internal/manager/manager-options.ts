import type { TokenManagerOptions } from '../../token-manager'
import { OptionChecks, type Problems } from '../util/option-checks'
import { checkUnknown } from '../util/unknown-options'

const DEFAULTS = {
  timeoutMs: 10_000,
  expirationBufferMs: 60_000,
  defaultLifetimeMs: 300_000,
  storeTimeoutMs: 250,
  localLifetimeMs: 60_000,
}

const MANAGER_OPTIONS = [
  'clients',
  'resolveClient',
  'store',
  'storeTimeoutMs',
  'localLifetimeMs',
  'maxEntries',
  'timeoutMs',
  'expirationBufferMs',
  'defaultLifetimeMs',
  'revokeOnClose',
  'logger',
  'requester',
  'cache',
  'clock',
  'random',
] as const satisfies readonly (keyof TokenManagerOptions)[]

/** The time options, with their defaults. */
export function withDefaults(options: TokenManagerOptions): typeof DEFAULTS {
  return {
    timeoutMs: options.timeoutMs ?? DEFAULTS.timeoutMs,
    expirationBufferMs: options.expirationBufferMs ?? DEFAULTS.expirationBufferMs,
    defaultLifetimeMs: options.defaultLifetimeMs ?? DEFAULTS.defaultLifetimeMs,
    storeTimeoutMs: options.storeTimeoutMs ?? DEFAULTS.storeTimeoutMs,
    localLifetimeMs: options.localLifetimeMs ?? DEFAULTS.localLifetimeMs,
  }
}

/** Adds what is wrong with the manager's own options to `problems`. @throws ConfigurationError when there are no options */
export function checkManagerOptions(problems: Problems, options: TokenManagerOptions): void {
  const checks = new OptionChecks(problems)
  if (!checks.object('options', options)) {
    problems.throwIfAny()
    return
  }
  checkUnknown(checks, options, MANAGER_OPTIONS)
  if (options.clients !== undefined && !checks.object('clients', options.clients)) problems.throwIfAny()
  checks.function('resolveClient', options.resolveClient)
  checks.function('random', options.random)
  checks.boolean('revokeOnClose', options.revokeOnClose)
  checks.methods('store', options.store, ['get', 'set', 'delete'])
  checks.methods('cache', options.cache, ['get', 'reject', 'delete', 'clear', 'held', 'forget', 'close'])
  if (options.cache !== undefined && options.store !== undefined) {
    checks.problem('store', 'is not used when there is a cache of your own: give the store to that cache')
  }
  checks.methods('requester', options.requester, ['request'])
  checks.methods('logger', options.logger, ['debug', 'info', 'warn', 'error'])
  checks.methods('clock', options.clock, ['now', 'monotonic', 'setTimeout'])
  for (const option of ['storeTimeoutMs', 'timeoutMs', 'defaultLifetimeMs'] as const) {
    checks.amount(option, options[option], 1)
  }
  for (const option of ['expirationBufferMs', 'localLifetimeMs'] as const) checks.amount(option, options[option], 0)
  const { maxEntries } = options
  if (maxEntries !== undefined && (!Number.isSafeInteger(maxEntries) || Number(maxEntries) < 1)) {
    checks.problem('maxEntries', `must be a whole number of at least 1, not ${String(maxEntries)}`)
  }
}
