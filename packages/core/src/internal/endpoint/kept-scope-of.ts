import type { ClientConfiguration } from '../../client-configuration'
import type { KeptScope } from '../util/kept-scope'
import { timeoutError } from './failure-kinds'

/** @param signal the signal of the token request */
export function keptScopeOf(client: ClientConfiguration, signal: AbortSignal): KeptScope {
  const { name, clientId, issuer, tokenEndpoint, timeoutMs } = client
  return {
    client: name,
    owner: JSON.stringify([tokenEndpoint ?? issuer, clientId]),
    limitMs: timeoutMs,
    signal,
    timeout: (limit) => timeoutError(client, limit),
  }
}
