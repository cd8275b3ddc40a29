import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const LISTS_WITHIN_MS = 60_000
const cache = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url))

/** A program that can be started, and the environment that it needs. */
export interface Program {
  readonly path: string
  readonly env: NodeJS.ProcessEnv
}

/** The name of a program and where to find it. */
export interface ProgramSource {
  readonly name: string
  /** Other names that it may have on the PATH. */
  readonly otherNames?: readonly string[]
  /** The environment variable that can hold the path of the program. */
  readonly variable: string
  /** The Debian package to install. */
  readonly debianPackage: string
  /** How to get the program without an installation. */
  readonly unpacked: UnpackedSource
  /** Checks that the program runs: arguments for a trial start, or a function that rejects when it does not. */
  readonly probe: readonly string[] | ((program: Program) => Promise<unknown>)
}

/** A program in Debian packages that are unpacked, but not installed. */
export interface UnpackedSource {
  /** The packages. `a|b`: the one that this release of Debian has. Undefined: all that an installation would add. */
  readonly packages?: readonly string[]
  /** The path of the program in the unpacked packages. */
  readonly path: string
  /** The file beside `path` to link to, when the packages have the program under another name only. */
  readonly aliasOf?: string
}

/**
 * Returns a function that finds a program, or downloads it. It looks in this order: the environment variable, the PATH, Debian's
 * packages unpacked into `node_modules/.cache`, and, as root, Debian's packages installed. It looks once per process.
 *
 * The function resolves to undefined when there is no such program, and writes that to standard error. When `CI` is set, it
 * throws instead, because skipped tests must not look like a success there.
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
        await (typeof probe === 'function' ? probe(program) : run(program.path, [...probe], { env: program.env }))
        return program
      }
    } catch (error) {
      tried.push(error instanceof Error ? String(error.message.split('\n', 1)[0]) : String(error))
    }
  }
  const problem = `${name} was not found and could not be downloaded (${tried.join('; ')}). Set ${variable} to its path.`
  if (process.env.CI) throw new Error(problem)
  process.stderr.write(`\nTESTS THAT NEED ${name} ARE SKIPPED: ${problem}\n\n`)
  return undefined
}

function fromEnvironment({ variable }: ProgramSource): Program | undefined {
  const path = process.env[variable]
  return path ? { path, env: process.env } : undefined
}

function fromPath({ name, otherNames = [] }: ProgramSource): Program | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const files = [name, ...otherNames].flatMap((each) => folders.map((folder) => join(folder, each)))
  const path = files.find((file) => existsSync(file))
  return path ? { path, env: process.env } : undefined
}

/** Downloads and unpacks Debian's packages. Needs no rights and does not change the system. */
async function fromDebianUnpacked({ name, debianPackage, unpacked: source }: ProgramSource): Promise<Program> {
  const { packages, path, aliasOf } = source
  const unpacked = join(cache, name)
  if (!existsSync(unpacked)) {
    await mkdir(cache, { recursive: true })
    const folder = await mkdtemp(`${unpacked}-`)
    try {
      const download = async () => {
        const names = packages ? await Promise.all(packages.map(ofThisRelease)) : await missingPackages(debianPackage)
        await run('apt-get', ['download', ...names], { cwd: folder })
      }
      // A fresh container has no package lists yet. Only root can download them.
      await download().catch(() => updateLists().then(download))
      for (const file of await readdir(folder)) {
        await run('dpkg', ['-x', join(folder, file), folder])
        await rm(join(folder, file))
      }
      if (aliasOf) await symlink(aliasOf, join(folder, path))
      // Several processes may do this at the same time. The first one wins, and the results are the same.
      await rename(folder, unpacked).catch(() => undefined)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return { path: join(unpacked, path), env: { ...process.env, ...(await environmentOf(unpacked)) } }
}

/** What a program in unpacked packages needs to find its libraries and fonts. */
async function environmentOf(unpacked: string): Promise<NodeJS.ProcessEnv> {
  const libraries = (await readdir(unpacked, { recursive: true })).filter((file) => /\.so(\.|$)/.test(file))
  const folders = new Set(libraries.map((file) => join(unpacked, dirname(file))))
  const environment = { LD_LIBRARY_PATH: [...folders].join(':') }
  const fonts = join(unpacked, 'etc/fonts')
  if (!existsSync(fonts)) return environment
  return { ...environment, FONTCONFIG_PATH: fonts, XDG_DATA_HOME: join(unpacked, 'usr/share') }
}

/** What an installation would add. Packages that it would only update are left out. */
async function missingPackages(debianPackage: string): Promise<string[]> {
  const options = ['-s', '-o', 'Debug::NoLocking=1', '--no-install-recommends']
  const { stdout } = await run('apt-get', [...options, 'install', debianPackage])
  // The line of an update has the installed version: `Inst libc6 [2.36-9] (2.36-10 …)`.
  return [...stdout.matchAll(/^Inst (\S+) \(/gm)].map(([, name]) => String(name))
}

/** Downloads the package lists. Waits while another process holds the lock. */
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
  // A virtual package, which other packages only provide, has no record of its own.
  const { stdout } = await run('apt-cache', ['show', '--no-all-versions', ...names]).catch(() => ({ stdout: '' }))
  return names.find((name) => stdout.split('\n').includes(`Package: ${name}`)) ?? String(names[0])
}

async function fromDebianInstalled(source: ProgramSource): Promise<Program | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-o', 'DPkg::Lock::Timeout=120', '--no-install-recommends', '-y']
  const install = () =>
    run('apt-get', [...options, 'install', source.debianPackage], { env, maxBuffer: 64 * 1024 * 1024 })
  await install().catch(() => updateLists().then(install))
  return fromPath(source)
}
