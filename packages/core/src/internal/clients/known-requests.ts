import type { GetAccessTokenOptions } from '../../token-parameters'
import { LruMap, type Recency } from '../util/lru-map'
import { isToken } from './resolved-request'

/**
 * The requests of one client that were resolved before, by the options of their calls: to merge, check and hash those costs far more
 * than the rest of a cached call.
 */
export class KnownRequests<Request> {
  /** The request of calls that add nothing to their client's definition: the usual case. */
  #default: Request | undefined
  /** The requests of calls that only have a scope, by that scope. */
  #byScope: LruMap<Request> | undefined
  #byOptions: LruMap<Request> | undefined
  readonly #recency: Recency

  /** @param recency limits the requests of all clients together */
  constructor(recency: Recency) {
    this.#recency = recency
  }

  /** The request of a call whose options were found to be right before. */
  find(call: GetAccessTokenOptions | undefined): Request | undefined {
    const written = call && writeOptions(call)
    if (call !== undefined && written === undefined) return undefined
    const { scope, others = '' } = written ?? {}
    if (others !== '') return this.#byOptions?.get(optionsKey(scope, others))
    return scope === undefined ? this.#default : this.#byScope?.get(scope)
  }

  /** @param call options that were found to be right, and do not change any more */
  add(call: GetAccessTokenOptions, request: Request): void {
    const written = writeOptions(call)
    if (!written) return
    const { scope, others } = written
    if (others !== '') {
      this.#byOptions ??= new LruMap(this.#recency)
      this.#byOptions.set(inOnePiece(optionsKey(scope, others)), request)
    } else if (scope !== undefined) {
      this.#byScope ??= new LruMap(this.#recency)
      this.#byScope.set(scope, request)
    } else this.#default = request
  }

  clear(): void {
    this.#default = undefined
    this.#byScope?.clear()
    this.#byOptions?.clear()
  }
}

interface WrittenOptions {
  readonly scope: string | undefined
  /** All others that identify a token, as one text. */
  readonly others: string
}

/** The options that identify a token. Undefined when there is one of an unusual type, which has to be checked each time. */
function writeOptions(call: GetAccessTokenOptions): WrittenOptions | undefined {
  let scope: string | undefined
  let others = ''
  for (const option of Object.keys(call)) {
    const value: unknown = call[option as keyof GetAccessTokenOptions]
    if (value === undefined || option === 'signal') continue
    if (option === 'scope' && typeof value === 'string') scope = value
    else if (option === 'audience' && typeof value === 'string') others += `a${withLength(value)}`
    else if (option === 'resource' || option === 'parameters') {
      const text = option === 'resource' ? writeResource(value) : writeParameters(value)
      if (text === undefined) return undefined
      others += text
    } else if (!isUsual(option, value)) return undefined
  }
  return { scope, others }
}

/** Whether an option that does not identify the token is right. */
function isUsual(option: string, value: unknown): boolean {
  if (option === 'forceRenewal') return typeof value === 'boolean'
  if (option === 'minValidityMs') return typeof value === 'number' && value >= 0 && Number.isFinite(value)
  if (option === 'insteadOf') return isToken(value)
  return option === 'clientAssertion' && typeof value === 'function'
}

function writeResource(value: unknown): string | undefined {
  const resources: readonly unknown[] = Array.isArray(value) ? value : [value]
  let text = `r${resources.length}`
  for (const resource of resources) {
    if (typeof resource !== 'string') return undefined
    text += withLength(resource)
  }
  return text
}

function writeParameters(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  let text = ''
  for (const [name, parameter] of Object.entries(value)) {
    if (parameter !== undefined && typeof parameter !== 'string') return undefined
    text += `p${withLength(name)}${parameter === undefined ? 'u' : withLength(parameter)}`
  }
  return text
}

function optionsKey(scope: string | undefined, others: string): string {
  return scope === undefined ? others : `s${withLength(scope)}${others}`
}

/** The same text. One that was put together from others keeps its pieces in memory. */
function inOnePiece(text: string): string {
  return [...text].join('')
}

/** Other options cannot make the same text: the length says where this one ends. */
function withLength(text: string): string {
  return `${text.length}:${text}`
}
