import { type Benchmark, participants, withWorkers } from './benchmark'
import { counted } from './counted'
import { Samples } from './samples'

export const dpop: Benchmark = {
  name: 'dpop',
  title: 'DPoP',
  method: ({ dpop: { calls, rounds } }) =>
    `${calls} times each, one after another: making the headers of a request with a DPoP token, a whole call by fetch over a transport that sends nothing, and the bare ES256 signature that a proof contains. ${counted(rounds, 'round')}.`,
  columns: () => [
    { key: 'proofRatio', title: 'headers ÷ the bare signature', unit: 'ratio', goal: 1.1, compared: true },
    { key: 'callRatio', title: 'call ÷ the bare signature', unit: 'ratio', compared: true },
    { key: 'proofCpuRatio', title: 'headers ÷ the bare signature, CPU', unit: 'ratio', compared: true },
    { key: 'proofUs', title: 'headers', unit: 'us', compared: false },
    { key: 'bareUs', title: 'the bare signature', unit: 'us', compared: false },
  ],
  async run(context) {
    const { calls, rounds } = context.scale.dpop
    const samples = new Samples()
    await withWorkers(context, 'dpop', participants(context.libraries, 'dpop'), 'light', async (all) => {
      // The first round only warms up.
      for (let round = -1; round < rounds; round++) {
        context.progress(`round ${round + 1} of ${rounds}`)
        for (const { library, worker } of all) {
          const cost = await worker.step({ calls, round: round + 1 })
          const { bareNs = 0, proofNs = 0, callNs = 0, bareCpuNs = 0, proofCpuNs = 0 } = cost
          if (round < 0) continue
          samples.add(library.id, {
            proofRatio: proofNs / bareNs,
            callRatio: callNs / bareNs,
            proofCpuRatio: proofCpuNs / bareCpuNs,
            proofUs: proofNs / 1_000,
            bareUs: bareNs / 1_000,
          })
        }
      }
    })
    return samples.rows()
  },
}
