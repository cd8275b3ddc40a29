import type { FromMember, MemberConfiguration, ToMember } from './protocol'
import { createWorker } from './worker'

// One process of the fleet. It is told what to do by the process that started it, and does not outlive it.

const REPORT_EVERY_MS = 200

const tell = (message: FromMember) => process.send?.(message)
const stopping = new AbortController()
let configuration: MemberConfiguration | undefined

async function work(told: MemberConfiguration): Promise<void> {
  const worker = createWorker(told)
  const report = () => tell({ type: 'counts', counts: worker.counts() })
  const timer = setInterval(report, REPORT_EVERY_MS)
  await worker.run(stopping.signal)
  clearInterval(timer)
  report()
  process.disconnect()
}

process.on('message', (message: ToMember) => {
  if (message.type === 'configure') {
    configuration = message.configuration
    tell({ type: 'ready' })
  }
  if (message.type === 'go' && configuration) void work(configuration)
  if (message.type === 'stop') stopping.abort()
})
process.on('disconnect', () => process.exit(0))
// The terminal sends Ctrl-C to every process; who ends this one is the fleet.
process.on('SIGINT', () => {})
