import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../../../node_modules/.cache/', import.meta.url))
const unpacked = join(cache, 'redis-server')

/** A redis-server that can be started, and what its environment needs for that. */
export interface RedisBinary {
  readonly path: string
  readonly env: NodeJS.ProcessEnv
}

let found: Promise<RedisBinary | undefined> | undefined

/**
 * Finds a redis-server or gets one, once per process: `REDIS_BIN`, the PATH, else Debian's package, unpacked beside
 * this workspace's dependencies. Undefined where none of that works, which is said on stderr.
 *
 * @throws Error when there is none and `CI` is set: there, what is not tested must not look like a success.
 */
export function redisBinary(): Promise<RedisBinary | undefined> {
  found ??= find()
  return found
}

async function find(): Promise<RedisBinary | undefined> {
  const tried: string[] = []
  for (const candidate of [fromEnvironment, fromPath, fromDebianUnpacked, fromDebianInstalled]) {
    try {
      const binary = await candidate()
      if (binary) {
        await run(binary.path, ['--version'], { env: binary.env })
        return binary
      }
    } catch (error) {
      tried.push(error instanceof Error ? String(error.message.split('\n', 1)[0]) : String(error))
    }
  }
  const problem = `no redis-server here, and none could be had (${tried.join('; ')}): set REDIS_BIN to one`
  if (process.env.CI) throw new Error(problem)
  process.stderr.write(`\nNOT TESTED against Redis: ${problem}\n\n`)
  return undefined
}

function fromEnvironment(): RedisBinary | undefined {
  const { REDIS_BIN: path } = process.env
  return path ? { path, env: process.env } : undefined
}

function fromPath(): RedisBinary | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const path = folders.map((folder) => join(folder, 'redis-server')).find((file) => existsSync(file))
  return path ? { path, env: process.env } : undefined
}

/** Without rights and without changing the system: Debian's packages, unpacked. */
async function fromDebianUnpacked(): Promise<RedisBinary> {
  if (!existsSync(unpacked)) {
    await mkdir(cache, { recursive: true })
    const folder = await mkdtemp(`${unpacked}-`)
    try {
      const packages = ['redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1']
      const download = () => run('apt-get', ['download', ...packages], { cwd: folder })
      // A fresh container has no package lists yet; only root can get them.
      await download().catch(() => run('apt-get', ['update']).then(download))
      for (const file of await readdir(folder)) await run('dpkg', ['-x', join(folder, file), folder])
      // One program under several names: which it is, it sees by its name.
      await symlink('redis-check-rdb', join(folder, 'usr/bin/redis-server'))
      // Several test files may be at it at once; the first one wins, and all are alike.
      await rename(folder, unpacked).catch(() => undefined)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  const libraries = (await readdir(join(unpacked, 'usr/lib'))).map((triplet) => join(unpacked, 'usr/lib', triplet))
  const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(':') }
  return { path: join(unpacked, 'usr/bin/redis-server'), env }
}

async function fromDebianInstalled(): Promise<RedisBinary | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=60', 'install', '-y', 'redis-server'], { env })
  return fromPath()
}
