import { type Benchmark, participants, withWorkers } from './benchmark'
import { counted } from './counted'
import { Samples } from './samples'

export const rejecting: Benchmark = {
  name: 'rejecting',
  title: 'An API that rejects every token',
  method: ({ rejecting: { calls, perSecond, rounds } }) =>
    `The API responds 401 to every request: ${calls} requests, ${perSecond} a second. Every caller gets a 401, so what counts is that the token endpoint is left alone. ${counted(rounds, 'round')}.`,
  columns: () => [{ key: 'requests', title: 'token requests', unit: 'count', compared: true }],
  async run(context) {
    const { server, scale, progress } = context
    const { calls, perSecond, rounds } = scale.rejecting
    const samples = new Samples()
    await withWorkers(context, 'load', participants(context.libraries, 'rejecting'), 'catalog', async (all) => {
      for (let round = 1; round <= rounds; round++) {
        for (const { library, worker } of all) {
          progress(`round ${round} of ${rounds}: ${library.id}`)
          await worker.step({ step: 'open' })
          await server.reset()
          await worker.step({ step: 'burst', what: 'request', calls: 1 })
          await server.reset()
          await server.rejectEverything()
          await worker.step({ step: 'rate', what: 'request', perSecond, seconds: calls / perSecond })
          samples.add(library.id, { requests: await server.tokenRequests() })
        }
      }
    })
    return samples.rows()
  },
}
