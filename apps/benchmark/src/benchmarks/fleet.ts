import { FLEET_CLIENTS, fleetClientId } from '../fleet-client'
import type { Worker } from '../worker/workers'
import { type Benchmark, type BenchmarkContext, participants } from './benchmark'
import { counted } from './counted'
import { Samples } from './samples'

export const fleet: Benchmark = {
  name: 'fleet',
  title: 'Processes that share a Redis',
  method: ({ fleet: { processes, rounds } }) =>
    `${processes.join(' or ')} processes share one Redis. None of them has a token, and all of them need one at the same moment. ${counted(rounds, 'round')}.`,
  columns: ({ fleet: { processes } }) =>
    processes.flatMap((count) => [
      { key: `requests${count}`, title: `${count} processes: token requests`, unit: 'count', goal: 1, compared: true },
      { key: `slowestMs${count}`, title: `${count} processes: the slowest call`, unit: 'ms', compared: false },
      { key: `failed${count}`, title: `${count} processes: failed calls`, unit: 'count', goal: 0, compared: true },
    ]),
  async run(context) {
    const { scale, libraries, progress } = context
    const samples = new Samples()
    const numberOf = new Map<string, number>()
    for (const count of scale.fleet.processes) {
      for (const { id } of participants(libraries, 'fleet')) {
        progress(`${count} processes: ${id}`)
        const started = await startFleet(context, id, count)
        try {
          for (let round = 0; round < scale.fleet.rounds; round++) {
            // Each round has a client that Redis knows nothing of.
            const number = numberOf.get(id) ?? 0
            numberOf.set(id, number + 1)
            if (number >= FLEET_CLIENTS) throw new RangeError('there are not enough clients for so many rounds')
            const measured = await coldStart(context, started, fleetClientId(id, number))
            samples.add(
              id,
              Object.fromEntries(Object.entries(measured).map(([key, value]) => [`${key}${count}`, value])),
            )
          }
        } finally {
          await Promise.all(started.map((worker) => worker.stop()))
        }
      }
    }
    return samples.rows()
  },
}

async function startFleet({ server, workers, redisUrl }: BenchmarkContext, id: string, count: number) {
  const { issuer, catalogURL: baseURL } = server.address
  const options = { ...server.credentials(fleetClientId(id, 0)), issuer, baseURL, redisUrl: await redisUrl() }
  const started: Worker[] = []
  for (let number = 0; number < count; number++)
    started.push(await workers.start({ session: 'load', library: id, options }))
  return started
}

async function coldStart({ server }: BenchmarkContext, fleet: readonly Worker[], clientId: string) {
  await Promise.all(fleet.map((worker) => worker.step({ step: 'open', clientId })))
  await server.reset()
  const results = await Promise.all(fleet.map((worker) => worker.step({ step: 'burst', what: 'token', calls: 1 })))
  return {
    requests: await server.tokenRequests(),
    slowestMs: Math.max(...results.map(({ slowestMs = 0 }) => slowestMs)),
    failed: results.reduce((sum, { failed = 0 }) => sum + failed, 0),
  }
}
