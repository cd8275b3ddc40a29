import type { StepUpOptions } from '../../step-up-options'
import type { TokenParameters } from '../../token-parameters'
import type { ApiChallenge } from './api-challenge'
import { LruMap, Recency } from './lru-map'
import type { OptionChecks } from './option-checks'
import { checkUnknown } from './unknown-options'

/** For so many kinds of requests it is remembered what their API demanded. */
const MOST_KINDS = 100
/** An API that demands something else each time must not cause a token request each time. */
const MOST_DEMANDS = 10

/** The requests that are alike for an API: of one method to one origin, with the same token. */
export interface RequestKind {
  readonly method: string
  readonly origin: string
  /** What the token is requested with when the API demands nothing. */
  readonly base: TokenParameters | undefined
}

/** What an API demanded of requests of one kind. */
interface Demands {
  /** What tokens are requested with in addition. Undefined: the last demand could not be met. */
  current: TokenParameters | undefined
  readonly made: Set<string>
  isRefusalReported: boolean
}

/**
 * What came of a demand:
 *
 * - `allowed`: a token with `parameters` meets it
 * - `refused`: the options do not allow it; `isNew`: for the first time
 * - `none`: nothing was demanded that the current token was not requested with
 */
export type Demand =
  | { readonly state: 'allowed'; readonly parameters: TokenParameters }
  | { readonly state: 'refused'; readonly isNew: boolean }
  | { readonly state: 'none' }

const NONE: Demand = { state: 'none' }

const STEP_UP_OPTIONS = ['scopes', 'acrValues', 'maxAge'] as const satisfies readonly (keyof StepUpOptions)[]
/** RFC 6749 §3.3. */
const NAME = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Adds what is wrong with the options to the problems, and copies them. */
export function checkStepUp(checks: OptionChecks, given: StepUpOptions | undefined): StepUpOptions | undefined {
  if (given === undefined || !checks.object('stepUp', given as unknown)) return undefined
  checkUnknown(checks, given, STEP_UP_OPTIONS, 'stepUp.')
  const names = (option: 'scopes' | 'acrValues'): readonly string[] => {
    const value = given[option] ?? []
    if (Array.isArray(value) && value.every((name) => typeof name === 'string' && NAME.test(name))) return [...value]
    checks.problem(
      `stepUp.${option}`,
      'must be an array of names: printable ASCII without spaces, quotes and backslashes',
    )
    return []
  }
  checks.boolean('stepUp.maxAge', given.maxAge)
  return { scopes: names('scopes'), acrValues: names('acrValues'), maxAge: given.maxAge ?? false }
}

/** Decides what is requested because an API demands more of a token, and remembers it. */
export class StepUps {
  readonly #scopes: ReadonlySet<string>
  readonly #acrValues: ReadonlySet<string>
  readonly #mayDemandMaxAge: boolean
  readonly #demands = new LruMap<Demands>(new Recency(MOST_KINDS))
  #isEmpty = true

  constructor({ scopes = [], acrValues = [], maxAge = false }: StepUpOptions) {
    this.#scopes = new Set(scopes)
    this.#acrValues = new Set(acrValues)
    this.#mayDemandMaxAge = maxAge
  }

  /** What the token of a request is requested with: what the API demanded of such requests before, or else what the caller says. */
  parametersOf(kind: RequestKind): TokenParameters | undefined {
    // Most APIs never demand anything.
    const current = this.#isEmpty ? undefined : this.#demands.get(keyOf(kind))?.current
    return current ? { ...kind.base, ...current } : kind.base
  }

  /**
   * What the API demands of the token of a request.
   *
   * @param parameters what that token was requested with
   * @param granted its scope
   */
  demand(
    kind: RequestKind,
    challenge: ApiChallenge,
    parameters: TokenParameters | undefined,
    granted: string | undefined,
  ): Demand {
    const demanded =
      challenge.reason === 'insufficient_scope'
        ? this.#scopesOf(challenge, parameters?.scope ?? granted)
        : this.#authenticationOf(challenge, parameters)
    if (demanded === 'none') return NONE
    const demands = this.#demandsOf(kind)
    const isNew = !demands.isRefusalReported
    if (demanded === 'refused') {
      demands.isRefusalReported = true
      return { state: 'refused', isNew }
    }
    const made = JSON.stringify(demanded)
    if (!demands.made.has(made) && demands.made.size === MOST_DEMANDS) return { state: 'refused', isNew: false }
    demands.made.add(made)
    // Only that: what else is in the parameters belongs to this one call.
    demands.current = { ...demands.current, ...demanded }
    return { state: 'allowed', parameters: { ...parameters, ...demanded } }
  }

  /** A token with what the API demanded cannot be had. */
  forget(kind: RequestKind): void {
    const demands = this.#demands.get(keyOf(kind))
    if (demands) demands.current = undefined
  }

  /** The scopes of the current token and those that are demanded. */
  #scopesOf(challenge: ApiChallenge, current = ''): TokenParameters | 'none' | 'refused' {
    const demanded = names(challenge.get('scope'))
    const scopes = new Set(names(current))
    if (demanded.every((scope) => scopes.has(scope))) return 'none'
    if (!demanded.every((scope) => scopes.has(scope) || this.#scopes.has(scope))) return 'refused'
    for (const scope of demanded) scopes.add(scope)
    return { scope: [...scopes].join(' ') }
  }

  #authenticationOf(
    challenge: ApiChallenge,
    current: TokenParameters | undefined,
  ): TokenParameters | 'none' | 'refused' {
    const demanded = names(challenge.get('acr_values'))
    // Any of them will do (RFC 9470 §3).
    const acrValues = demanded.filter((value) => this.#acrValues.has(value))
    const maxAge = challenge.get('max_age')
    if (demanded.length === 0 && maxAge === undefined) return 'none'
    if (demanded.length > 0 && acrValues.length === 0) return 'refused'
    if (maxAge !== undefined && !(this.#mayDemandMaxAge && /^\d{1,9}$/.test(maxAge))) return 'refused'
    const parameters = {
      ...current?.parameters,
      ...(demanded.length > 0 && { acr_values: acrValues.join(' ') }),
      ...(maxAge !== undefined && { max_age: maxAge }),
    }
    const { acr_values, max_age } = current?.parameters ?? {}
    const isSame = parameters.acr_values === acr_values && parameters.max_age === max_age
    return isSame ? 'none' : { parameters }
  }

  #demandsOf(kind: RequestKind): Demands {
    this.#isEmpty = false
    const key = keyOf(kind)
    const demands = this.#demands.get(key) ?? { current: undefined, made: new Set(), isRefusalReported: false }
    this.#demands.set(key, demands)
    return demands
  }
}

function names(text: string | undefined): readonly string[] {
  return text?.split(' ').filter((name) => name !== '') ?? []
}

function keyOf({ method, origin, base = {} }: RequestKind): string {
  const { scope, resource, audience, parameters } = base
  return JSON.stringify([method, origin, scope, resource, audience, parameters])
}
