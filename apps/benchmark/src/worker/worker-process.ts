// A process that measures one library. The process that started it sends it the steps. It ends when that process ends.
import { localWorkers } from './local-workers'
import type { FromWorker, ToWorker, Worker } from './workers'

let worker: Worker | undefined
const send = (message: FromWorker) => process.send?.(message)

process.on('message', async (message: ToWorker) => {
  try {
    if (message.type === 'start') {
      worker = await localWorkers.start(message.assignment)
      send({ measurements: {} })
    } else {
      send({ measurements: (await worker?.step(message.parameters)) ?? {} })
    }
  } catch (error) {
    send({ error: error instanceof Error ? String(error.stack) : String(error) })
  }
})
// Some libraries keep timers and connections, so the process would not end by itself.
process.on('disconnect', () => process.exit())
// Some libraries reject promises that nobody handles, which would end the process. The load session counts them.
process.on('unhandledRejection', () => {})
// Some libraries write to the console when a token request fails, which would mix with the progress.
console.warn = () => {}
console.error = () => {}
