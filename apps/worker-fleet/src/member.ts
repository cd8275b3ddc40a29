import type { FromMember, MemberConfiguration, ToMember } from './protocol'
import { createWorker, type FleetWorker } from './worker'

// One process of the fleet. It is told what to do by the process that started it, and does not outlive it.

const REPORT_EVERY_MS = 200

const tell = (message: FromMember) => process.send?.(message)
const stopping = new AbortController()
let worker: FleetWorker | undefined
let working = false

async function prepare(configuration: MemberConfiguration): Promise<void> {
  worker = createWorker(configuration)
  await worker.ready()
  tell({ type: 'ready' })
}

async function work(worker: FleetWorker): Promise<void> {
  const report = () => tell({ type: 'counts', counts: worker.counts() })
  const timer = setInterval(report, REPORT_EVERY_MS)
  await worker.run(stopping.signal)
  clearInterval(timer)
  report()
  process.disconnect()
}

process.on('message', (message: ToMember) => {
  if (message.type === 'configure') void prepare(message.configuration)
  if (message.type === 'go' && worker && !working) {
    working = true
    void work(worker)
  }
  if (message.type === 'stop') {
    stopping.abort()
    if (!working) process.disconnect()
  }
})
process.on('disconnect', () => process.exit(0))
// The terminal sends Ctrl-C to every process; who ends this one is the fleet.
process.on('SIGINT', () => {})
