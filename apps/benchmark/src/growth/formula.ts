/** What the formulas take: the size of a fleet, and its settings. */
export interface Fleet {
  readonly processes: number
  /** Tokens that each process uses: one for each client, scope and tenant. */
  readonly keys: number
  readonly lifetimeSeconds: number
  readonly localLifetimeSeconds: number
}

/** A token is renewed after about this share of its lifetime. */
const RENEWAL_SHARE = 0.8
/** Commands of a renewal, by the process that sends the request: it asks twice, gets failures of others, writes, lists the key. */
const COMMANDS_OF_RENEWAL = 6
/** Commands of each other process when a token is due: it asks, and finds the new one. */
const COMMANDS_OF_OTHERS = 1.5

/** Token requests of the whole fleet, a second. The number of processes does not matter. */
export function tokenRequestsPerSecond({ keys, lifetimeSeconds }: Fleet): number {
  return keys / (RENEWAL_SHARE * lifetimeSeconds)
}

/** Commands of the whole fleet to the store, a second, at most: less if a process does not use a token all the time. */
export function commandsPerSecond({ processes, keys, lifetimeSeconds, localLifetimeSeconds }: Fleet): number {
  const revalidations = processes / localLifetimeSeconds
  const renewals = (COMMANDS_OF_RENEWAL + COMMANDS_OF_OTHERS * processes) / (RENEWAL_SHARE * lifetimeSeconds)
  return keys * (revalidations + renewals)
}
