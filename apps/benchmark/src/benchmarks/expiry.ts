import { type Benchmark, participants, withWorkers } from './benchmark'
import { counted } from './counted'
import { Samples } from './samples'

const PER_SECOND = 50
/** How long the token endpoint takes. */
const ENDPOINT_MS = 300

export const expiry: Benchmark = {
  name: 'expiry',
  title: 'Tokens that expire under load',
  method: ({ expiry: { rounds, seconds, renewalAfterSeconds } }) =>
    `${PER_SECOND} requests a second for ${seconds} s. Tokens live as long as it takes each library to renew them after about ${renewalAfterSeconds} s, and the token endpoint takes ${ENDPOINT_MS} ms. The first request, which gets the first token, does not count. ${counted(rounds, 'round')}; all libraries run at the same time, each in its own process.`,
  columns: () => [
    { key: 'slowestMs', title: 'the slowest request', unit: 'ms', compared: true },
    { key: 'failed', title: 'failed requests', unit: 'count', goal: 0, compared: true },
    { key: 'requests', title: 'token requests', unit: 'count', compared: false },
  ],
  async run(context) {
    const { server, scale, progress } = context
    const { rounds, seconds, renewalAfterSeconds } = scale.expiry
    const samples = new Samples()
    await withWorkers(context, 'load', participants(context.libraries, 'expiry'), 'catalog', async (all) => {
      for (let round = 1; round <= rounds; round++) {
        progress(`round ${round} of ${rounds}`)
        await server.reset()
        await server.delayTokens(ENDPOINT_MS)
        for (const { library } of all)
          await server.setTokenLifetime(library.id, library.lifetimeFor(renewalAfterSeconds))
        await Promise.all(
          all.map(async ({ library, worker }) => {
            await worker.step({ step: 'open' })
            await worker.step({ step: 'burst', what: 'request', calls: 1 })
            const parameters = { step: 'rate', what: 'request', perSecond: PER_SECOND, seconds }
            const { slowestMs, failed } = await worker.step(parameters)
            samples.add(library.id, { slowestMs, failed, requests: await server.tokenRequests(library.id) })
          }),
        )
        for (const { library } of all) await server.setTokenLifetime(library.id, 3_600)
      }
    })
    return samples.rows()
  },
}
