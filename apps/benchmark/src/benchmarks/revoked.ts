import { type Benchmark, participants, withWorkers } from './benchmark'
import { counted } from './counted'
import { Samples } from './samples'

export const revoked: Benchmark = {
  name: 'revoked',
  title: 'A token that is revoked',
  method: ({ revoked: { calls, rounds } }) =>
    `The token in the cache is revoked, and then ${calls} requests are made at once. A request has failed when its caller gets no status 200. ${counted(rounds, 'round')}.`,
  columns: () => [
    { key: 'requests', title: 'token requests', unit: 'count', goal: 1, compared: true },
    { key: 'failed', title: 'failed requests', unit: 'count', goal: 0, compared: true },
  ],
  async run(context) {
    const { server, scale, progress } = context
    const { calls, rounds } = scale.revoked
    const samples = new Samples()
    await withWorkers(context, 'load', participants(context.libraries, 'revoked'), 'catalog', async (all) => {
      for (let round = 1; round <= rounds; round++) {
        for (const { library, worker } of all) {
          progress(`round ${round} of ${rounds}: ${library.id}`)
          await worker.step({ step: 'open' })
          await worker.step({ step: 'burst', what: 'request', calls: 1 })
          await server.reset()
          await server.revokeIssued()
          const { failed } = await worker.step({ step: 'burst', what: 'request', calls })
          samples.add(library.id, { requests: await server.tokenRequests(), failed })
        }
      }
    })
    return samples.rows()
  },
}
