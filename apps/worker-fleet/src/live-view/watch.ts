import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SampleOptions } from '../options'
import { LiveFleet } from './live-fleet'
import { startPageServer } from './page-server'

// The build puts the files of the page beside the file that is run.
const pageFolder = fileURLToPath(new URL('./page/', import.meta.url))

/**
 * Runs a fleet and shows it on a web page, until its time is over or a signal ends it.
 *
 * @throws Error when there is no redis-server, or the port is taken
 */
export async function watch(options: SampleOptions, port: number): Promise<void> {
  const { processes, durationMs } = options
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const fleet = await LiveFleet.start(options)
  try {
    const server = await startPageServer({
      port,
      folder: pageFolder,
      state: () => fleet.state(),
      run: (command) => fleet.run(command),
    })
    console.log(`Open this page to watch ${processes} processes share a token over Redis:\n\n  ${server.url}\n`)
    console.log(durationMs === undefined ? 'Ctrl-C ends it.' : `It ends after ${durationMs / 1_000} s, or with Ctrl-C.`)
    if (durationMs !== undefined) sleep(durationMs, undefined, { signal: stopping.signal }).then(stop, () => {})
    if (!stopping.signal.aborted) await once(stopping.signal, 'abort')
    await server.close()
  } finally {
    await fleet.stop()
  }
}
