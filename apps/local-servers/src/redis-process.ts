import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { programFinder } from './program'
import { type ServerProcess, startServerProcess } from './server-process'

/** Finds a redis-server, or gets one, without anything being set up before. */
export const redisProgram = programFinder({
  name: 'redis-server',
  variable: 'REDIS_BIN',
  debianPackage: 'redis-server',
  unpackedPackages: ['redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1'],
  unpackedPath: 'usr/bin/redis-server',
  // One program under several names: which it is, it sees by its name.
  aliasOf: 'redis-check-rdb',
  probe: ['--version'],
})

/** How to start one. */
export interface RedisProcessOptions {
  /** A fixed port: to start one again where another was. Default: a free one. */
  port?: number
  /** Command line arguments beside port and address. */
  args?: (port: number) => Promise<readonly string[]> | readonly string[]
  /** The contents of a configuration file, which Sentinel needs to have. */
  config?: string
}

/**
 * Starts a redis-server that keeps nothing on disk, and waits until it answers.
 *
 * @throws Error when there is no redis-server, or it does not answer.
 */
export async function startRedisProcess(options: RedisProcessOptions = {}): Promise<ServerProcess> {
  const program = await redisProgram()
  if (!program) throw new Error('no redis-server')
  return startServerProcess({
    program,
    port: options.port,
    identify: { command: 'INFO server', end: 'config_file', pid: /process_id:(\d+)/ },
    async args(port, folder) {
      const config = join(folder, 'redis.conf')
      await writeFile(config, options.config ?? '')
      const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
      return [config, ...own, '--save', '', '--appendonly', 'no', ...((await options.args?.(port)) ?? [])]
    },
  })
}
