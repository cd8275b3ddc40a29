import type { AuthorizationServer } from './authorization-server'
import type { Invariants, Key } from './invariants'
import type { ProtectedApi } from './protected-api'
import type { Fault, Scenario } from './scenario'
import type { SimulatedProcess } from './simulated-process'
import type { SimulatedRedis } from './simulated-redis'
import type { StoreNetwork } from './store-network'
import type { World } from './world'

/** What faults happen to. */
export interface Targets {
  readonly world: World
  readonly scenario: Scenario
  readonly keys: readonly Key[]
  readonly processes: readonly SimulatedProcess[]
  readonly redis: SimulatedRedis
  readonly network: StoreNetwork
  readonly server: AuthorizationServer
  readonly api: ProtectedApi
  readonly invariants: Invariants
  /** Processes learn the new secret of a client now. */
  learnSecret(client: string): void
  /** Processes learn the first refresh token of a new consent now. */
  learnConsent(client: string): void
}

/** Schedules all faults of the scenario. */
export function scheduleFaults(targets: Targets): void {
  targets.scenario.faults.forEach((fault, number) => {
    targets.world.scheduler.at(fault.at, () => {
      targets.world.log.note(`fault ${JSON.stringify(fault)}`)
      begin(targets, fault, number)
    })
  })
}

function begin(targets: Targets, fault: Fault, number: number): undefined {
  const { world, processes, redis, network, server, api, scenario, invariants } = targets
  const random = world.random.fork(`fault ${number}`)
  const later = (ms: number, run: () => void): undefined => {
    world.scheduler.in(ms, run)
  }
  const process = 'process' in fault ? processes[fault.process % processes.length] : undefined
  const client = 'client' in fault && fault.client !== undefined ? server.clients[fault.client] : undefined
  switch (fault.kind) {
    case 'crash':
      process?.crash()
      return later(fault.downMs, () => process?.start())
    case 'restartAll':
      for (const each of processes) {
        each.crash()
        later(random.between(0, 50), () => each.start())
      }
      return
    case 'pause':
      process?.pause(fault.suspended)
      return later(fault.forMs, () => process?.resume(fault.suspended))
    case 'clockJump':
      process?.clock.jump(fault.byMs)
      return
    case 'clockDrift':
      process?.clock.drift(fault.ppm)
      return
    case 'storeSlow':
      network.delayMs += fault.delayMs
      return later(fault.forMs, () => {
        network.delayMs -= fault.delayMs
      })
    case 'storeLossy': {
      const { lost, replyLost, silent, twice } = fault
      network.shares = { lost, replyLost, silent, twice }
      return later(fault.forMs, () => {
        network.shares = { lost: 0, replyLost: 0, silent: 0, twice: 0 }
      })
    }
    case 'storeDown':
      if (fault.how === 'hangs') {
        network.hold()
        return later(fault.forMs, () => network.continue())
      }
      network.isRefused = true
      return later(fault.forMs, () => {
        network.isRefused = false
      })
    case 'storeFlush':
      redis.flush()
      return
    case 'storeRubbish':
      redis.writeRubbish(random)
      return
    case 'storeFailover':
      network.isRefused = true
      return later(fault.downMs, () => {
        network.isRefused = false
        redis.promoteReplica()
      })
    case 'storeSplit': {
      const onReplica = new Set(processes.filter(() => random.chance(fault.share)).map(({ index }) => index))
      redis.split((index) => onReplica.has(index))
      return later(fault.forMs, () => redis.promoteReplica())
    }
    case 'endpointSlow':
      server.latencyMs += fault.latencyMs
      return later(fault.forMs, () => {
        server.latencyMs -= fault.latencyMs
      })
    case 'endpointDown':
      server.failure = fault.how
      server.retryAfterSeconds = fault.retryAfterSeconds
      invariants.outageBegins()
      if (scenario.sabotage === 'endlessOutage') return
      return later(fault.forMs, () => {
        server.failure = undefined
        server.retryAfterSeconds = 0
        invariants.outageEnds()
      })
    case 'endpointLossy':
      server.lost = fault.lost
      server.replyLost = fault.replyLost
      server.twice = fault.twice
      return later(fault.forMs, () => {
        server.lost = 0
        server.replyLost = 0
        server.twice = 0
      })
    case 'clientRefused':
      if (client) client.isRefused = true
      return later(fault.forMs, () => {
        if (client) client.isRefused = false
      })
    case 'rotateSecret':
      if (!client) return
      client.secretNumber++
      return later(fault.knownAfterMs, () => targets.learnSecret(client.name))
    case 'newConsent':
      if (!client?.refreshToken) return
      server.grants.consent(client.name)
      return later(fault.knownAfterMs, () => targets.learnConsent(client.name))
    case 'revoke':
      server.revoke(client?.name)
      return
    case 'revokeNewest':
      server.revokeNewest(String(client?.name))
      return
    case 'apiRejects':
      api.rejectedShare = fault.share
      return later(fault.forMs, () => {
        api.rejectedShare = 0
      })
    case 'deleteToken':
      void process?.deleteToken(random.pick(targets.keys.filter((key) => key.client === client?.name)))
      return
    case 'clear':
      void process?.clear(String(client?.name))
      return
  }
}
