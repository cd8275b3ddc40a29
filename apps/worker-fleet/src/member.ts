import type { FromMember, MemberConfiguration, ToMember } from './protocol'
import { createWorker, type FleetWorker } from './worker'

// One process of the fleet. The process that started it sends it messages. It ends when that process ends.

const REPORT_EVERY_MS = 200

const send = (message: FromMember) => process.send?.(message)
const stopping = new AbortController()
let worker: FleetWorker | undefined
let working = false

async function prepare(configuration: MemberConfiguration): Promise<void> {
  worker = createWorker(configuration, (event) => send({ type: 'event', event }))
  await worker.ready()
  send({ type: 'ready' })
}

function report(): void {
  if (!worker) return
  send({ type: 'counts', counts: worker.counts(), token: worker.token() })
  const report = worker.report()
  if (report) send({ type: 'calls', report })
}

async function work(worker: FleetWorker): Promise<void> {
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
  if (message.type === 'useSecret') worker?.useSecret(message.clientSecret)
  if (message.type === 'skip') {
    worker?.skip(message.ms)
    report()
  }
  if (message.type === 'stop') {
    stopping.abort()
    if (!working) process.disconnect()
  }
})
process.on('disconnect', () => process.exit(0))
// A terminal sends Ctrl-C to every process. The fleet stops this one by a message, so that its last counts are reported.
process.on('SIGINT', () => {})
