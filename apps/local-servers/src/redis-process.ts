import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { programFinder } from './program'
import { type ServerProcess, startServerProcess } from './server-process'

/** Finds a redis-server, or downloads one. */
export const redisProgram = programFinder({
  name: 'redis-server',
  variable: 'REDIS_BIN',
  debianPackage: 'redis-server',
  unpacked: {
    packages: ['redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1'],
    path: 'usr/bin/redis-server',
    // One binary with several names. It decides by its name which program it is.
    aliasOf: 'redis-check-rdb',
  },
  probe: ['--version'],
})

/** Options of {@link startRedisProcess}. */
export interface RedisProcessOptions {
  /** A fixed port, to start a server again where an earlier one was. Default: a free port. */
  port?: number
  /** Additional command line arguments. */
  args?: (port: number) => Promise<readonly string[]> | readonly string[]
  /** The contents of the configuration file. Sentinel needs one. */
  config?: string
}

/**
 * Starts a redis-server that keeps nothing on disk, and waits until it responds.
 *
 * @throws Error when there is no redis-server, or it does not respond
 */
export async function startRedisProcess(options: RedisProcessOptions = {}): Promise<ServerProcess> {
  const program = await redisProgram()
  if (!program) throw new Error('no redis-server was found')
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
