import { endure } from './long-run'

const CALLS = 10_000_000

const startedAt = performance.now()
const { checkpoints, grown, unexpected } = await endure(
  { calls: CALLS, keys: 100_000, checkpoints: 10 },
  (checkpoint) => {
    const { calls, heapMiB, sockets } = checkpoint
    console.log(`${calls.toLocaleString('en')} calls: heap ${heapMiB.toFixed(1)} MiB, ${sockets} sockets`)
  },
)

console.log()
console.table(checkpoints.map(({ heapMiB, ...counts }) => ({ ...counts, 'heap (MiB)': Number(heapMiB.toFixed(1)) })))
console.log(`${CALLS.toLocaleString('en')} calls took ${Math.round((performance.now() - startedAt) / 1_000)} s`)
// The first checkpoint is left out: caches are filled by then, and code is compiled.
const [, first, ...rest] = checkpoints.map(({ heapMiB }) => heapMiB)
if (Math.max(...rest) > Number(first) * 1.15 + 10) grown.push('heap')
// Each request of the platform's fetch has one listener on the caller's signal until it is finalized. A checkpoint waits for that.
if (checkpoints.some(({ fetchListeners }) => fetchListeners > 0)) grown.push('listeners of requests')
if (grown.length > 0 || unexpected.length > 0) {
  console.log(
    `FAILED: grown: ${grown.join(', ') || 'nothing'}; unexpected: ${unexpected.slice(0, 5).join(', ') || 'nothing'}`,
  )
  process.exitCode = 1
} else console.log('passed: heap, listeners, timers, sockets and store entries stay flat')
