import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from './documents'

// What the page installs, and what that depends on.
const PACKED = ['core', 'fetch', 'undici', 'store-memory', 'cli']

const folder = mkdtempSync(join(tmpdir(), 'tokenward-newcomer-'))
const trial = join(folder, 'trial')
const children: ChildProcess[] = []
let registry: Server
let environment: NodeJS.ProcessEnv

/** A registry that has the packed packages. npm takes everything else from where this machine takes it. */
async function startRegistry(): Promise<Server> {
  const tarballs = new Map<string, Buffer>()
  for (const name of PACKED) {
    const path = join(folder, `${name}.tgz`)
    execFileSync('pnpm', ['pack', '--out', path], { cwd: join(root, 'packages', name), stdio: 'pipe' })
    tarballs.set(name, readFileSync(path))
  }
  const server = createServer(({ url = '' }, response) => {
    const [, name = '', isTarball] = /^\/@tokenward(?:\/|%2f)([\w-]+?)(\.tgz)?$/i.exec(url) ?? []
    const tarball = tarballs.get(name)
    if (!tarball) return response.writeHead(404).end()
    if (isTarball) return response.end(tarball)
    const packed = execFileSync('tar', ['-xzOf', join(folder, `${name}.tgz`), 'package/package.json'])
    const manifest = JSON.parse(packed.toString())
    const { port } = server.address() as AddressInfo
    const dist = { tarball: `http://127.0.0.1:${port}/@tokenward/${name}.tgz` }
    const versions = { [manifest.version]: { ...manifest, dist } }
    return response.end(JSON.stringify({ name: manifest.name, 'dist-tags': { latest: manifest.version }, versions }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

beforeAll(async () => {
  registry = await startRegistry()
  mkdirSync(trial)
  const setting = (name: string) =>
    execFileSync('npm', ['config', 'get', name], { encoding: 'utf8', cwd: folder }).trim()
  let own = ''
  try {
    own = readFileSync(setting('userconfig'), 'utf8')
  } catch {}
  const { port } = registry.address() as AddressInfo
  const scope = `@tokenward:registry=http://127.0.0.1:${port}/`
  writeFileSync(join(folder, 'npmrc'), `${own}\nregistry=${setting('registry')}\n${scope}\n`)
  // Without what pnpm and vitest set, as in a newcomer's terminal, and with an empty cache.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|pnpm_|vitest|node_env$|node_options$|test$)/i.test(name),
  )
  environment = {
    ...Object.fromEntries(inherited),
    NPM_CONFIG_USERCONFIG: join(folder, 'npmrc'),
    // It depends on which npm reads it, and may say which certificates to trust.
    NPM_CONFIG_GLOBALCONFIG: setting('globalconfig'),
    NPM_CONFIG_CACHE: join(folder, 'cache'),
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
    // The newcomer presses y when npx asks whether to install the command line.
    NPM_CONFIG_YES: 'true',
    NPM_CONFIG_AUDIT: 'false',
  }
})

afterAll(async () => {
  for (const { pid } of children) {
    // The group: npx, and what it runs.
    try {
      process.kill(-Number(pid), 'SIGKILL')
    } catch {}
  }
  registry.closeAllConnections()
  registry.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** Runs a command line in a terminal of its own, until it ends or has said `until`. @returns what it printed */
async function type(line: string, until?: string): Promise<string> {
  const child = spawn('sh', ['-c', line], { cwd: trial, env: environment, detached: true })
  children.push(child)
  let output = ''
  return new Promise((resolve, reject) => {
    const take = (text: Buffer) => {
      output += text
      if (until !== undefined && output.includes(until)) resolve(output)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${line} exits with ${code}: ${output}`)),
    )
  })
}

/** The ports of the page, when they are free; else others. */
async function choosePorts(page: string): Promise<{ page: string; serve: (line: string) => string }> {
  const isFree = (port: number) =>
    new Promise<boolean>((resolve) => {
      const server = createTcpServer().once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
  const allFree = async (first: number) =>
    (await Promise.all([0, 1, 2, 3].map((more) => isFree(first + more)))).every(Boolean)
  let first = 5001
  while (!(await allFree(first))) first += 10
  if (first === 5001) return { page, serve: (line) => line }
  process.stderr.write(`port 5001 or one of the next three is in use here, so the page is tried with ${first}\n`)
  const moved = page.replace(/:500([1-4])\b/g, (_all, digit) => `:${first + Number(digit) - 1}`)
  return { page: moved, serve: (line) => `${line} --port ${first}` }
}

test('a newcomer does what the page says, in an empty folder, and sees what it says', async () => {
  const { page, serve } = await choosePorts(readFileSync(join(root, 'docs/getting-started.md'), 'utf8'))
  const started = performance.now()
  const did: string[] = []
  let output = ''
  for (const [, language, block = ''] of page.matchAll(/```(\w+)\n([\s\S]*?)```/g)) {
    if (language === 'ts') {
      const [, file = ''] = /^\/\/ (\S+)\n/.exec(block) ?? []
      writeFileSync(join(trial, file), block)
    } else if (language === 'text') {
      const withoutDate = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, '<date>').trim()
      expect(withoutDate(output)).toBe(withoutDate(block))
    } else {
      const line = block.trim()
      did.push(line.split(' ').slice(0, 3).join(' '))
      output = line.endsWith(' serve') ? await type(serve(line), 'Ctrl-C stops it') : await type(line)
    }
  }
  const seconds = (performance.now() - started) / 1_000
  process.stdout.write(`getting started: ${seconds.toFixed(1)} s from an empty folder and an empty npm cache\n`)
  expect(did).toEqual([
    'npm install @tokenward/core',
    'npx @tokenward/cli serve',
    'node worker.mts',
    'npx @tokenward/cli check',
  ])
  expect(output).toContain('It works.')
  expect(seconds).toBeLessThan(180)
}, 200_000)
