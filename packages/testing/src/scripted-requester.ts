import {
  type ClientConfiguration,
  type TokenRequest,
  TokenRequestError,
  type TokenRequester,
  type TokenResponse,
} from '@tokenward/core'
import { type ScriptedClient, type TestTokenRequest, valueFor } from './test-client'
import { type TestFailure, toError } from './test-failure'

interface ClientState {
  requests: number
  /** The failures of the next requests, in order. */
  readonly next: TestFailure[]
  /** The failure of every request that has none of its own. */
  always: TestFailure | undefined
}

/** Responds to token requests as a test has scripted. */
export class ScriptedRequester implements TokenRequester {
  /** Every request, in order. */
  readonly requests: TestTokenRequest[] = []
  readonly #clients: ReadonlyMap<string, ScriptedClient>
  readonly #states = new Map<string, ClientState>()

  constructor(clients: ReadonlyMap<string, ScriptedClient>) {
    this.#clients = clients
  }

  failNext(client: string, failure: TestFailure): void {
    this.#stateOf(client).next.push(failure)
  }

  failAlways(client: string, failure: TestFailure): void {
    this.#stateOf(client).always = failure
  }

  recover(client: string): void {
    this.#states.set(client, { ...this.#stateOf(client), next: [], always: undefined })
  }

  async request(client: ClientConfiguration, given: TokenRequest): Promise<TokenResponse> {
    const { name, tokenEndpoint = '' } = client
    const { scope, resource, audience, parameters } = given
    const clientAssertion = await assertionOf(client, given)
    const request = Object.freeze({ client: name, scope, resource, audience, parameters, clientAssertion })
    this.requests.push(request)
    const state = this.#stateOf(name)
    const number = ++state.requests
    const failure = state.next.shift() ?? state.always
    if (failure) throw toError(name, tokenEndpoint, failure)
    // A client that the code under test has added has no script.
    const { value = [], lifetimeMs = client.defaultLifetimeMs, grantedScope } = this.#clients.get(name) ?? {}
    return {
      access_token: await valueFor(value, request, number),
      token_type: client.dpopKeyPair ? 'DPoP' : 'Bearer',
      expires_in: lifetimeMs / 1_000,
      scope: grantedScope,
    }
  }

  #stateOf(client: string): ClientState {
    const state = this.#states.get(client) ?? { requests: 0, next: [], always: undefined }
    this.#states.set(client, state)
    return state
  }
}

/** The client assertion of a request. Its supplier is called, as it is for a real request. */
async function assertionOf(client: ClientConfiguration, request: TokenRequest): Promise<string | undefined> {
  const { clientAssertion } = request
  if (typeof clientAssertion !== 'function') return clientAssertion
  const { name, issuer, tokenEndpoint = '' } = client
  try {
    return await clientAssertion({ client: name, audience: issuer ?? tokenEndpoint })
  } catch (cause) {
    const errorDescription = 'the clientAssertion supplier failed'
    const details = { client: name, errorDescription, retryable: true, step: 'supplier', cause } as const
    throw new TokenRequestError({ ...details, error: 'credential_unavailable' })
  }
}
