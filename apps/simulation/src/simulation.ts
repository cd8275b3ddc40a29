import { AuthorizationServer } from './authorization-server'
import { Bounds } from './bounds'
import { scheduleFaults } from './fault-driver'
import { Invariants, type Key, type Violation } from './invariants'
import { replacePlatform } from './platform'
import { ProtectedApi } from './protected-api'
import { Random } from './random'
import type { Scenario } from './scenario'
import { Scheduler } from './scheduler'
import { SimulatedProcess } from './simulated-process'
import { SimulatedRedis } from './simulated-redis'
import { StoreNetwork } from './store-network'
import { EPOCH_MS, EventLog } from './world'

export interface Outcome {
  readonly violations: readonly Violation[]
  /** Of the event log: the same scenario gives the same hash. */
  readonly hash: string
  /** Calls for a token. */
  readonly calls: number
  readonly events: number
  readonly tokenRequests: number
  readonly storeCommands: number
  readonly simulatedMs: number
  readonly mostInOutageSecond: number
  /** Why grants were lost that nobody could have kept. */
  readonly lostGrants: readonly string[]
}

/** Gets the simulated time of what reaches the store and the token endpoint. */
export interface Observer {
  command(atMs: number): void
  tokenRequest(atMs: number): void
}

/** How often it looks whether calls hang. */
const LOOK_EVERY_MS = 5_000

/** Runs one scenario, until its end or until an invariant is broken. `write` gets the lines of the event log. */
export async function simulate(
  scenario: Scenario,
  write?: (line: string) => void,
  observer?: Observer,
): Promise<Outcome> {
  const scheduler = new Scheduler()
  const random = new Random(scenario.seed)
  const world = { scheduler, random, log: new EventLog(scheduler, write) }
  const bounds = new Bounds(scenario)
  const { network: plan, clients, durationMs, quietMs } = scenario
  const serverClients = clients.map(({ lifetimeMs, refreshShare, refreshToken }, index) => ({
    name: `c${index}`,
    lifetimeMs,
    refreshShare,
    ...(refreshToken && { refreshToken }),
    secretNumber: 1,
    isRefused: false,
  }))
  const server = new AuthorizationServer(world, plan.endpointMs, serverClients)
  const api = new ProtectedApi(world, server, plan.apiMs)
  const invariants = new Invariants(world, scenario, server, bounds)
  const { grants } = server
  const redis = new SimulatedRedis(world, plan.replicationMs, (text) => grants.noteStored(text))
  const watch = (command: string, args: readonly string[]) => {
    observer?.command(scheduler.now)
    invariants.checkWire(command, args)
  }
  server.onSent = () => observer?.tokenRequest(scheduler.now)
  const network = new StoreNetwork(world, redis, plan.storeMs, watch)
  const keys = clients.flatMap(({ tenants }, index) => keysOf(`c${index}`, tenants))

  let current: SimulatedProcess | undefined
  const secrets = new Map(serverClients.map(({ name }) => [name, server.secretOf(name)]))
  const learnSecret = (client: string) => void secrets.set(client, server.secretOf(client))
  const firstTokens = new Map(serverClients.map(({ name }) => [name, grants.firstOf(name)]))
  const learnConsent = (client: string) => {
    if (scenario.sabotage !== 'oldConsent') firstTokens.set(client, grants.firstOf(client))
    invariants.grants.noteKnown(client)
  }
  grants.onConsent = learnConsent
  const ids = random.fork('ids')
  const restorePlatform = replacePlatform({
    wallNow: () => current?.clock.wallNow() ?? EPOCH_MS + scheduler.now,
    random: ids.next,
  })
  const restoreHandlers = handleRejections((reason) => invariants.broken('noUnhandled', String(reason)))
  scheduler.onEvent = () => {
    current = undefined
  }
  const enter = (process: SimulatedProcess) => {
    current = process
  }
  const secretOf = (client: string) => secrets.get(client) ?? ''
  const firstTokenOf = (client: string) => firstTokens.get(client)
  const parts = { world, scenario, keys, server, network, api, invariants, secretOf, firstTokenOf, enter }
  const processes = Array.from({ length: scenario.processes }, (_, index) => new SimulatedProcess(index, parts))
  for (const each of processes) {
    scheduler.in(random.between(0, 100), () => each.start())
    each.onDeleted = (deleted, before) => {
      for (const other of processes) if (other !== each) other.noteDeletion(deleted, before)
    }
  }
  scheduleFaults({ ...parts, processes, redis, learnSecret, learnConsent })
  const look = () => {
    for (const each of processes) each.checkPending()
    scheduler.in(LOOK_EVERY_MS, look)
  }
  look()
  try {
    await scheduler.runUntil(durationMs + quietMs)
    if (invariants.violations.length === 0) invariants.checkEnd()
  } finally {
    restoreHandlers()
    restorePlatform()
  }
  return {
    violations: invariants.violations,
    hash: world.log.hash,
    calls: processes.reduce((sum, { calls }) => sum + calls, 0),
    events: scheduler.events,
    tokenRequests: server.requests,
    storeCommands: network.commands,
    simulatedMs: scheduler.now,
    mostInOutageSecond: invariants.mostInOutageSecond,
    lostGrants: invariants.grants.lost,
  }
}

/** Handles what nobody else handles, in place of all other handlers. The returned function brings them back. */
function handleRejections(handle: (reason: unknown) => void): () => void {
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', handle)
  return () => {
    process.off('unhandledRejection', handle)
    for (const other of others) process.on('unhandledRejection', other)
  }
}

function keysOf(client: string, tenants: number): Key[] {
  const names = ['', ...Array.from({ length: tenants }, (_, index) => `t${index}`)]
  return names.map((tenant) => ({ id: `${client} ${tenant}`, client, tenant }))
}
