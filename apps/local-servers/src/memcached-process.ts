import { programFinder } from './program'
import { type ServerProcess, startServerProcess } from './server-process'

/** Finds a memcached, or downloads one. */
export const memcachedProgram = programFinder({
  name: 'memcached',
  variable: 'MEMCACHED_BIN',
  debianPackage: 'memcached',
  unpacked: {
    packages: ['memcached', 'libevent-2.1-7|libevent-2.1-7t64', 'libsasl2-2'],
    path: 'usr/bin/memcached',
  },
  probe: ['--version'],
})

/** Options of {@link startMemcachedProcess}. */
export interface MemcachedProcessOptions {
  /** A fixed port, to start a server again where an earlier one was. Default: a free port. */
  port?: number
}

/**
 * Starts a memcached and waits until it responds.
 *
 * @throws Error when there is no memcached, or it does not respond
 */
export async function startMemcachedProcess({ port }: MemcachedProcessOptions = {}): Promise<ServerProcess> {
  const program = await memcachedProgram()
  if (!program) throw new Error('no memcached was found')
  // As root, memcached only starts with this option.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
  return startServerProcess({
    program,
    port,
    identify: { command: 'stats', end: 'END', pid: /STAT pid (\d+)/ },
    args: (port) => ['-l', '127.0.0.1', '-p', String(port), ...user],
  })
}
