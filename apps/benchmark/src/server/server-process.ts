// The authorization server and the APIs run in this process of their own, so that the clients are measured without them.
import type { CommandMessage, ResponseMessage } from './bench-server'
import { startLocalBenchServer } from './local-bench-server'

const server = await startLocalBenchServer(process.argv.slice(2))
const send = (message: ResponseMessage) => process.send?.(message)

process.on('message', async ({ id, command, args }: CommandMessage) => {
  try {
    const run = server[command] as (...values: readonly unknown[]) => Promise<unknown>
    send({ id, result: await run(...args) })
  } catch (error) {
    send({ id, error: String(error) })
  }
})
process.on('disconnect', () => process.exit())
send({ id: 0, result: server.address })
