import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultResponse, IdentityProvider } from '@tokenward/identity-provider'
import type { FaultProxy } from '@tokenward/local-servers'
import { now } from '@tokenward/worker-fleet'
import { AREA_OF, type Calm } from './calm'
import type { Deployment } from './deployment'
import type { Invariants } from './invariants'
import type { Moments } from './moments'
import type { EndpointFailure, Fault } from './plan'
import type { Workers } from './workers'

/** What faults happen to. */
export interface Targets {
  readonly provider: IdentityProvider
  readonly deployment: Deployment
  readonly workers: Workers
  readonly calm: Calm
  readonly invariants: Invariants
  readonly moments: Moments
  readonly latencyMs: number
  /** How long to wait for a moment. A token is renewed in this time. */
  readonly momentWithinMs: number
}

/** Makes all faults of an episode happen. Resolves when the last one is over. */
export async function inflict(targets: Targets, faults: readonly Fault[]): Promise<void> {
  await Promise.all(faults.map((fault) => inflictOne(targets, fault)))
}

async function inflictOne(targets: Targets, fault: Fault): Promise<void> {
  await sleep(fault.at)
  const renewing = await targets.moments.next(fault.moment, targets.momentWithinMs)
  const end = targets.calm.begin(AREA_OF[fault.kind], now())
  try {
    await act(targets, fault, renewing)
  } finally {
    end(now())
  }
}

/** @param renewing the process that renews at this moment, if the fault waited for one */
async function act(targets: Targets, fault: Fault, renewing: string | undefined): Promise<void> {
  const { provider, deployment, workers, invariants, latencyMs } = targets
  const faults = provider.tokenEndpointFaults
  const number = (drawn: number) => (renewing === undefined ? drawn : (workers.numberOf(renewing) ?? drawn))
  switch (fault.kind) {
    case 'crash':
      return workers.crash(number(fault.process), fault.downMs)
    case 'pause':
      return workers.pause(number(fault.process), fault.forMs)
    case 'restartAll':
      return workers.restartAll()
    case 'storeStall': {
      const proxies = deployment.proxies(fault.lane)
      for (const proxy of proxies) proxy.stall()
      await sleep(fault.forMs)
      await heal(proxies)
      return
    }
    case 'storeReset': {
      const proxies = deployment.proxies(fault.lane)
      await Promise.all(proxies.map((proxy) => proxy.refuse()))
      await sleep(fault.forMs)
      await heal(proxies)
      return
    }
    case 'storeFlush':
      return deployment.flush()
    case 'storeFailover':
      return deployment.failOver(fault.how, fault.forMs)
    case 'endpointDown':
      faults.fail(Number.POSITIVE_INFINITY, responseOf(fault.how, fault.retryAfterSeconds))
      invariants.outageBegan(now())
      await sleep(fault.forMs)
      // Another outage may have begun meanwhile. It ends with this one.
      faults.clear()
      faults.delayMs = latencyMs
      invariants.outageOver()
      return
    case 'endpointSlow':
      faults.delayMs = fault.latencyMs
      await sleep(fault.forMs)
      faults.delayMs = latencyMs
      return
    case 'revoke':
      provider.revokeIssued()
      return
  }
}

function responseOf(how: EndpointFailure, retryAfterSeconds: number): FaultResponse {
  if (how === 'hang' || how === 'reset') return how
  if (how === 'html') return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }
  if (how === 'noToken') return { status: 200, body: { token_type: 'Bearer', expires_in: 60 } }
  const headers = retryAfterSeconds > 0 ? { 'retry-after': String(retryAfterSeconds) } : {}
  return { status: Number(how), headers }
}

async function heal(proxies: readonly FaultProxy[]): Promise<void> {
  // Another fault may heal it at the same moment.
  await Promise.all(proxies.map((proxy) => proxy.heal().catch(() => undefined)))
}
