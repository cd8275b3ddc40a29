import type { TokenCache } from '../../token-cache'
import type { ClientStatus, ManagerStatus, TokenStatus } from '../../token-status'
import type { ClientRegistry } from '../clients/client-registry'
import type { ManagedClient } from '../clients/managed-client'
import type { StoreHealth } from '../store/store-health'

export interface ManagerState {
  readonly isClosed: boolean
  readonly clients: ClientRegistry
  readonly cache: TokenCache
  readonly storeHealth: StoreHealth | undefined
}

export function managerStatus({ isClosed, clients, cache, storeHealth }: ManagerState): ManagerStatus {
  const store = storeHealth ? (storeHealth.isFailing ? 'failing' : 'ok') : 'none'
  const statuses = clients.known().map((name): [string, ClientStatus] => {
    const client = clients.ready(name)
    const tokens = cache.status?.(name) ?? heldStatuses(cache, name)
    return [name, { ...(client && sourceStatus(client)), tokens }]
  })
  return { isClosed, store, clients: Object.fromEntries(statuses) }
}

function sourceStatus({ configuration, source }: ManagedClient): Pick<ClientStatus, 'circuit' | 'secretIndex'> {
  const { circuit, secretIndex } = source
  const hasSeveral = Array.isArray(configuration.clientSecret) || secretIndex > 0
  return { circuit, ...(hasSeveral && { secretIndex }) }
}

/** What a custom cache tells that has no `status`. */
function heldStatuses(cache: TokenCache, client: string): readonly TokenStatus[] {
  return cache.held(client).map(({ scope, expiresAt }) => ({
    state: 'valid',
    ...(scope !== undefined && { scope }),
    ...(expiresAt && { validUntil: expiresAt.toISOString() }),
  }))
}
