import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Measurements } from './session'
import type { FromWorker, ToWorker, Workers } from './workers'

/** Runs each session in a process of its own, so that one library does not change how another one is compiled. */
export const forkedWorkers: Workers = {
  async start(assignment) {
    const file = fileURLToPath(new URL('./worker-process.js', import.meta.url))
    const child = fork(file, { execArgv: ['--expose-gc', '--max-old-space-size=2048'] })
    const exited = once(child, 'exit')

    async function send(message: ToWorker): Promise<Measurements> {
      const response = once(child, 'message') as Promise<[FromWorker]>
      const ended = exited.then(() => Promise.reject(new Error(`the process for ${assignment.library} has ended`)))
      ended.catch(() => {})
      child.send(message)
      const [result] = await Promise.race([response, ended])
      if ('error' in result) throw new Error(`${assignment.library}: ${result.error}`)
      return result.measurements
    }

    async function stop() {
      if (child.connected) child.disconnect()
      await exited
    }

    try {
      await send({ type: 'start', assignment })
    } catch (error) {
      await stop()
      throw error
    }
    return { step: (parameters) => send({ type: 'step', parameters }), stop }
  },
}
