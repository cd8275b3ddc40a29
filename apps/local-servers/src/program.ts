import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const LISTS_WITHIN_MS = 60_000
const cache = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url))

/** A program that can be started, and what its environment needs for that. */
export interface Program {
  readonly path: string
  readonly env: NodeJS.ProcessEnv
}

/** Which program, and where it may come from. */
export interface ProgramSource {
  readonly name: string
  /** The environment variable that names another one. */
  readonly variable: string
  /** Debian's package to install. */
  readonly debianPackage: string
  /** Debian's packages that are enough when they are only unpacked; of `a|b`, the one that this release has. */
  readonly unpackedPackages: readonly string[]
  /** Where it is in the unpacked packages. */
  readonly unpackedPath: string
  /** The program there that it is another name of. */
  readonly aliasOf?: string
  /** Arguments that show whether it runs. */
  readonly probe: readonly string[]
}

/**
 * Finds a program or gets it, once per process: the environment variable, the PATH, else Debian's packages, unpacked
 * beside this workspace's dependencies or, as root, installed. The function that is returned resolves to undefined
 * where none of that works, which is said on stderr.
 *
 * @throws Error when there is none and `CI` is set: there, what is not tested must not look like a success.
 */
export function programFinder(source: ProgramSource): () => Promise<Program | undefined> {
  let found: Promise<Program | undefined> | undefined
  return () => {
    found ??= find(source)
    return found
  }
}

async function find(source: ProgramSource): Promise<Program | undefined> {
  const { name, variable, probe } = source
  const tried: string[] = []
  for (const candidate of [fromEnvironment, fromPath, fromDebianUnpacked, fromDebianInstalled]) {
    try {
      const program = await candidate(source)
      if (program) {
        await run(program.path, [...probe], { env: program.env })
        return program
      }
    } catch (error) {
      tried.push(error instanceof Error ? String(error.message.split('\n', 1)[0]) : String(error))
    }
  }
  const problem = `no ${name} here, and none could be had (${tried.join('; ')}): set ${variable} to one`
  if (process.env.CI) throw new Error(problem)
  process.stderr.write(`\nNOTHING IS TRIED AGAINST ${name}: ${problem}\n\n`)
  return undefined
}

function fromEnvironment({ variable }: ProgramSource): Program | undefined {
  const path = process.env[variable]
  return path ? { path, env: process.env } : undefined
}

function fromPath({ name }: ProgramSource): Program | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const path = folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
  return path ? { path, env: process.env } : undefined
}

/** Without rights and without changing the system: Debian's packages, unpacked. */
async function fromDebianUnpacked(source: ProgramSource): Promise<Program> {
  const { name, unpackedPackages, unpackedPath, aliasOf } = source
  const unpacked = join(cache, name)
  if (!existsSync(unpacked)) {
    await mkdir(cache, { recursive: true })
    const folder = await mkdtemp(`${unpacked}-`)
    try {
      const download = async () =>
        run('apt-get', ['download', ...(await Promise.all(unpackedPackages.map(ofThisRelease)))], { cwd: folder })
      // A fresh container has no package lists yet; only root can get them.
      await download().catch(() => updateLists().then(download))
      for (const file of await readdir(folder)) await run('dpkg', ['-x', join(folder, file), folder])
      if (aliasOf) await symlink(aliasOf, join(folder, unpackedPath))
      // Several processes may be at it at once; the first one wins, and all are alike.
      await rename(folder, unpacked).catch(() => undefined)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  const libraries = (await readdir(join(unpacked, 'usr/lib'))).map((triplet) => join(unpacked, 'usr/lib', triplet))
  const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(':') }
  return { path: join(unpacked, unpackedPath), env }
}

/** Another process may be at it; then its lists will do. */
async function updateLists(): Promise<void> {
  for (const end = Date.now() + LISTS_WITHIN_MS; ; await sleep(500)) {
    try {
      await run('apt-get', ['update'])
      return
    } catch (error) {
      if (Date.now() > end || !/lock/i.test(String(error))) throw error
    }
  }
}

async function ofThisRelease(alternatives: string): Promise<string> {
  const names = alternatives.split('|')
  // A name that another package only provides has no record of its own.
  const { stdout } = await run('apt-cache', ['show', '--no-all-versions', ...names]).catch(() => ({ stdout: '' }))
  return names.find((name) => stdout.split('\n').includes(`Package: ${name}`)) ?? String(names[0])
}

async function fromDebianInstalled(source: ProgramSource): Promise<Program | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=60', 'install', '-y', source.debianPackage], { env })
  return fromPath(source)
}
