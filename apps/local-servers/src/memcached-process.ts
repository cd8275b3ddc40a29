import { programFinder } from './program'
import { type ServerProcess, startServerProcess } from './server-process'

/** Finds a memcached, or gets one, without anything being set up before. */
export const memcachedProgram = programFinder({
  name: 'memcached',
  variable: 'MEMCACHED_BIN',
  debianPackage: 'memcached',
  unpackedPackages: ['memcached', 'libevent-2.1-7|libevent-2.1-7t64', 'libsasl2-2'],
  unpackedPath: 'usr/bin/memcached',
  probe: ['--version'],
})

/** How to start one. */
export interface MemcachedProcessOptions {
  /** A fixed port: to start one again where another was. Default: a free one. */
  port?: number
}

/**
 * Starts a memcached and waits until it answers.
 *
 * @throws Error when there is no memcached, or it does not answer.
 */
export async function startMemcachedProcess({ port }: MemcachedProcessOptions = {}): Promise<ServerProcess> {
  const program = await memcachedProgram()
  if (!program) throw new Error('no memcached')
  // As root it wants to be told outright.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
  return startServerProcess({
    program,
    port,
    identify: { command: 'stats', end: 'END', pid: /STAT pid (\d+)/ },
    args: (port) => ['-l', '127.0.0.1', '-p', String(port), ...user],
  })
}
