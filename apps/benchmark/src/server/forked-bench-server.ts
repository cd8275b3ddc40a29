import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  type BenchServer,
  type CommandMessage,
  credentials,
  type ResponseMessage,
  type ServerAddress,
  type ServerCommand,
} from './bench-server'

/** Starts the servers in a process of their own. @param clientIds the clients to register */
export async function startForkedBenchServer(clientIds: readonly string[]): Promise<BenchServer> {
  const child = fork(fileURLToPath(new URL('./server-process.js', import.meta.url)), [...clientIds])
  const pending = new Map<number, (message: ResponseMessage) => void>()
  let lastId = 0
  const ready = new Promise<ResponseMessage>((resolve) => pending.set(0, resolve))
  child.on('message', (message: ResponseMessage) => {
    pending.get(message.id)?.(message)
    pending.delete(message.id)
  })
  const exited = once(child, 'exit')
  const ended = exited.then(() => Promise.reject(new Error('the process of the servers has ended')))
  // The end of the process is no error while nobody waits for a response.
  ended.catch(() => {})

  async function send<T>(command: ServerCommand, ...args: readonly unknown[]): Promise<T> {
    const id = ++lastId
    const response = new Promise<ResponseMessage>((resolve) => pending.set(id, resolve))
    child.send({ id, command, args } satisfies CommandMessage)
    const { result, error } = await Promise.race([response, ended])
    if (error !== undefined) throw new Error(error)
    return result as T
  }

  const { result: address } = await Promise.race([ready, ended])
  return {
    address: address as ServerAddress,
    credentials,
    tokenRequests: (clientId) => send('tokenRequests', ...(clientId === undefined ? [] : [clientId])),
    reset: () => send('reset'),
    setTokenLifetime: (clientId, seconds) => send('setTokenLifetime', clientId, seconds),
    delayTokens: (ms) => send('delayTokens', ms),
    failTokens: (times, response) => send('failTokens', times, response),
    revokeIssued: () => send('revokeIssued'),
    rejectEverything: () => send('rejectEverything'),
    async close() {
      child.disconnect()
      await exited
    },
  }
}
