import { type Benchmark, participants, withWorkers } from './benchmark'
import { counted } from './counted'
import { Samples } from './samples'

export const cached: Benchmark = {
  name: 'cached',
  title: 'A call that finds its token in the cache',
  method: ({ cached: { ms, rounds } }) =>
    `Calls one after another for about ${ms} ms, and as long a time of calls of a bare \`async\` function that returns a value, in the same process. ${counted(rounds, 'round')}; the libraries take turns.`,
  columns: () => [
    { key: 'ratio', title: '÷ a bare async function', unit: 'ratio', goal: 1.2, compared: true },
    { key: 'ns', title: 'time per call', unit: 'ns', compared: false },
    { key: 'bareNs', title: 'the bare function', unit: 'ns', compared: false },
  ],
  async run(context) {
    const { ms, rounds } = context.scale.cached
    const samples = new Samples()
    const libraries = participants(context.libraries, 'cached')
    await withWorkers(context, 'cached', libraries, 'light', async (all) => {
      // The first round only warms up.
      for (let round = -1; round < rounds; round++) {
        context.progress(`round ${round + 1} of ${rounds}`)
        for (const { library, worker } of all) {
          const { ns = 0, bareNs = 0 } = await worker.step({ ms, round: round + 1 })
          if (round >= 0) samples.add(library.id, { ns, bareNs, ratio: ns / bareNs })
        }
      }
    })
    return samples.rows()
  },
}
