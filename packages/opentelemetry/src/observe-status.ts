import type { ManagerStatus } from '@tokenward/core'

export interface ObservedClient {
  readonly circuits: Readonly<Record<'closed' | 'open' | 'half_open', number>>
  /** Tokens whose renewal failed, and which are still used. */
  readonly failingValid: number
  /** Tokens that cannot be had: calls fail. */
  readonly failingUnavailable: number
}

const CIRCUIT_NAMES = { closed: 'closed', halfOpen: 'half_open', open: 'open' } as const

/** What metrics say about a status, by the name that metrics have for a client. Clients of the same name are added up. */
export function observeStatus(
  { clients }: ManagerStatus,
  nameOf: (client: string) => string,
): ReadonlyMap<string, ObservedClient> {
  const observed = new Map<string, ObservedClient>()
  for (const [client, { circuit, tokens }] of Object.entries(clients)) {
    const name = nameOf(client)
    const before = observed.get(name) ?? NOTHING
    const failing = tokens.filter(({ lastError }) => lastError !== undefined)
    const valid = failing.filter(({ state }) => state === 'valid' || state === 'rejected').length
    const circuits = { ...before.circuits }
    if (circuit) circuits[CIRCUIT_NAMES[circuit]]++
    observed.set(name, {
      circuits,
      failingValid: before.failingValid + valid,
      failingUnavailable: before.failingUnavailable + failing.length - valid,
    })
  }
  return observed
}

const NOTHING: ObservedClient = {
  circuits: { closed: 0, half_open: 0, open: 0 },
  failingValid: 0,
  failingUnavailable: 0,
}
