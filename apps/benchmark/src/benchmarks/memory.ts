import { type Benchmark, participants, withWorkers } from './benchmark'
import { Samples } from './samples'

const MANY_KEYS = 10_000

export const memory: Benchmark = {
  name: 'memory',
  title: 'Many tokens in one process',
  method: ({ memory: { keys, calls } }) =>
    `${keys.map((count) => count.toLocaleString('en')).join(', ')} tokens of 1,000 characters are kept, from a stand-in for the authorization server, and each is used once more. The heap is measured after garbage collection, before and after; neither the tokens themselves count nor what a library needs once, such as compiled code. Few tokens are kept by several caches, and the heap of all is divided by all tokens. Then ${calls.toLocaleString('en')} calls get one token after another. A library that keeps one token per object has one object for each. A cell is empty when it took longer than 25 s.`,
  columns: ({ memory: { keys } }) => [
    ...keys.map((count) => ({
      key: `bytes${count}`,
      title: `heap per token, ${count.toLocaleString('en')} tokens`,
      unit: 'bytes' as const,
      goal: 1_024,
      compared: true,
    })),
    ...keys.map((count) => ({
      key: `ns${count}`,
      title: `time per call, ${count.toLocaleString('en')} tokens`,
      unit: 'ns' as const,
      compared: true,
    })),
  ],
  async run(context) {
    const { rounds, leastTokens, keys, calls } = context.scale.memory
    const samples = new Samples()
    const libraries = participants(context.libraries, 'memory')
    for (let round = 1; round <= rounds; round++) {
      for (const count of keys) {
        // Each number of keys has a process of its own, whose heap is empty.
        for (const library of libraries) {
          context.progress(`${count.toLocaleString('en')} tokens: ${library.id}`)
          // Fixed costs are a large part of few keys, and a small part of many.
          if (round > 1 && count >= MANY_KEYS) continue
          await withWorkers(context, 'memory', [library], 'light', async ([participant]) => {
            const measured = await participant?.worker.step({ leastTokens, keys: count, calls })
            samples.add(library.id, { [`bytes${count}`]: measured?.bytes, [`ns${count}`]: measured?.ns })
          })
        }
      }
    }
    return samples.rows()
  },
}
