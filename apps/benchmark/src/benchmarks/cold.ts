import { type Benchmark, participants, withWorkers } from './benchmark'
import { counted } from './counted'
import { Samples } from './samples'

export const cold: Benchmark = {
  name: 'cold',
  title: 'Many callers and no token',
  method: ({ cold: { callers, rounds } }) =>
    `The cache is empty, and ${callers.toLocaleString('en')} callers need the same token at once. ${counted(rounds, 'round')}.`,
  columns: () => [
    { key: 'requests', title: 'token requests', unit: 'count', goal: 1, compared: true },
    { key: 'failed', title: 'failed calls', unit: 'count', goal: 0, compared: true },
    { key: 'ms', title: 'until the last caller has its token', unit: 'ms', compared: false },
  ],
  async run(context) {
    const { server, scale, progress } = context
    const samples = new Samples()
    await withWorkers(context, 'load', participants(context.libraries, 'cold'), 'catalog', async (all) => {
      for (let round = 1; round <= scale.cold.rounds; round++) {
        for (const { library, worker } of all) {
          progress(`round ${round} of ${scale.cold.rounds}: ${library.id}`)
          await worker.step({ step: 'open' })
          await server.reset()
          const { failed, ms } = await worker.step({ step: 'burst', what: 'token', calls: scale.cold.callers })
          samples.add(library.id, { requests: await server.tokenRequests(), failed, ms })
        }
      }
    })
    return samples.rows()
  },
}
