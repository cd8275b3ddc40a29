import { type Benchmark, participants, withWorkers } from './benchmark'
import { counted } from './counted'
import { Samples } from './samples'

const CONCURRENCIES = [1, 50]

export const http: Benchmark = {
  name: 'http',
  title: 'An HTTP request',
  method: ({ http: { processes, rounds, requests, warmUp } }) =>
    [
      `${requests} requests with the library, and ${requests} by the same HTTP client with a fixed \`Authorization\` header, in the same process; the two take turns after every 200 requests. ${counted(processes * rounds, 'round')}, of which ${rounds} share a process. ${warmUp.toLocaleString('en')} requests of each kind come first, so that the code is compiled as in a process that runs for hours. Before each turn, the garbage of the turn before is collected.`,
      "The API does as little as possible, so the client is what is measured. CPU is that of the client's process, with all of its threads.",
      "Each library uses the HTTP client that it is made for, or else the platform's fetch. `only a header` is no library: it is what the least wrapper of the HTTP client costs.",
    ].join(' '),
  columns: () =>
    CONCURRENCIES.flatMap((concurrency) => [
      {
        key: `cpuRatio${concurrency}`,
        title: `CPU ÷ fixed header, ${concurrency} at a time`,
        unit: 'ratio' as const,
        goal: 1.03,
        compared: true,
      },
      {
        key: `cpuUs${concurrency}`,
        title: `more CPU per request, ${concurrency} at a time`,
        unit: 'us' as const,
        goal: 3,
        compared: false,
      },
      {
        key: `timeRatio${concurrency}`,
        title: `time ÷ fixed header, ${concurrency} at a time`,
        unit: 'ratio' as const,
        goal: 1.03,
        compared: true,
      },
    ]),
  async run(context) {
    const { processes, rounds, requests, warmUp } = context.scale.http
    const samples = new Samples()
    const libraries = participants(context.httpLibraries, 'http')
    for (let number = 1; number <= processes; number++) {
      await withWorkers(context, 'http', libraries, 'light', async (all) => {
        // Not in turns: a process that has waited for the others has lost what was in the caches of the processor.
        for (const { library, worker } of all) {
          context.progress(`process ${number} of ${processes}: ${library.id}`)
          await worker.step({ requests: warmUp, concurrency: 50, round: 0 })
          for (let round = 0; round < rounds; round++) {
            for (const concurrency of CONCURRENCIES) {
              const cost = await worker.step({ requests, concurrency, round })
              const { plainNs = 0, plainCpuNs = 0, ns = 0, cpuNs = 0 } = cost
              samples.add(library.id, {
                [`cpuRatio${concurrency}`]: cpuNs / plainCpuNs,
                [`cpuUs${concurrency}`]: (cpuNs - plainCpuNs) / 1_000,
                [`timeRatio${concurrency}`]: ns / plainNs,
              })
            }
          }
        }
      })
    }
    return samples.rows()
  },
}
