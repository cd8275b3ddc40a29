// Installs the packed packages into empty projects, as users do, and runs them on every platform that they promise to run on. The
// platforms come from npm, so that nothing has to be set up. `pnpm runtimes` runs all parts, `pnpm runtimes bun workerd` two of them.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundle, bundlers, TARGETS } from '../test/packed/bundlers.mjs'
import { asCommonJs, asModule, everyExample, runExample, standIns, testUnder } from '../test/packed/examples.mjs'
import { installFromRegistry, npmInstall, packInto } from '../test/packed/install.mjs'

const NODES = ['20.19', '20', '22.12', '22', '24', '26']
const root = fileURLToPath(new URL('..', import.meta.url))
const folders = []
let failed = 0

function newFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `tokenward-${name}-`))
  folders.push(folder)
  return folder
}

/** Prints how `run` ended. What it returns or throws is printed when it failed. */
async function step(name, run) {
  const startedAt = performance.now()
  let problem
  try {
    problem = await run()
  } catch (error) {
    problem = String(error?.stack ?? error)
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  console.log(`${name.padEnd(52)} ${problem === undefined ? 'ok' : 'FAILED'} (${seconds} s)`)
  if (problem === undefined) return
  failed++
  console.error(problem.slice(-4_000))
}

/** Runs a command. Returns its output when it fails. */
function command(file, args, { cwd, env, timeout } = {}) {
  const options = {
    encoding: 'utf8',
    cwd,
    timeout,
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
  }
  const { status, error, stdout, stderr } = spawnSync(file, args, options)
  return status === 0 ? undefined : `${error ?? ''}${stdout}\n${stderr}`
}

let real
/** The project in which everything is installed. */
async function project() {
  real ??= installFromRegistry(newFolder('project'))
  return real
}

const tools = new Map()
/** A folder in which these tools are installed. */
function toolFolder(...names) {
  const key = names.join(' ')
  if (!tools.has(key)) tools.set(key, npmInstall(newFolder('tools'), names))
  return tools.get(key)
}

const binary = (folder, name) => join(folder, 'node_modules/.bin', name)

const PORTABLE = "import { run } from './portable.mjs'\nconsole.log(await run())\n"

const PARTS = {
  async node() {
    const folder = await project()
    writeFileSync(join(folder, 'run-portable.mjs'), PORTABLE)
    const node = (version, ...args) => {
      const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}@${version}`
      return () => command('npx', ['-y', '-p', name, '--', 'node', ...args], { cwd: folder })
    }
    for (const version of NODES) {
      await step(`Node ${version}: every package`, node(version, 'smoke.mjs'))
      await step(`Node ${version}: web-standard packages`, node(version, 'run-portable.mjs'))
      await step(`Node ${version}: adapter contract`, node(version, '--test', 'contract.mjs'))
    }
  },

  async bun() {
    const folder = await project()
    const bun = binary(toolFolder('bun@1'), 'bun')
    writeFileSync(join(folder, 'run-portable.mjs'), PORTABLE)
    const run = (...args) => command(bun, args, { cwd: folder })
    await step('Bun: every package', () => run('smoke.mjs'))
    await step('Bun: web-standard packages', () => run('run-portable.mjs'))
    await step('Bun: adapter contract', () => run('test', './contract.test.mjs'))
  },

  async deno() {
    const folder = await project()
    const deno = binary(toolFolder('deno@2'), 'deno')
    const env = { DENO_DIR: newFolder('deno'), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' }
    writeFileSync(join(folder, 'run-portable.mjs'), PORTABLE)
    const run = (verb, ...args) =>
      command(deno, [verb, '-A', '--node-modules-dir=manual', ...args], { cwd: folder, env })
    await step('Deno: every package', () => run('run', 'smoke.mjs'))
    await step('Deno: web-standard packages', () => run('run', 'run-portable.mjs'))
    await step('Deno: adapter contract', () => run('test', '--no-check', 'contract.test.mjs'))
  },

  /** Every bundler for every platform. The bundles run in Node; those for edge functions and workers also in workerd. */
  async bundlers() {
    const folder = await project()
    const webpackFolder = toolFolder('webpack@5')
    const miniflareFolder = toolFolder('miniflare@4')
    for (const bundler of bundlers) {
      for (const target of Object.keys(TARGETS)) {
        const outDir = join(folder, `bundle-${bundler}-${target}`)
        let path
        await step(`${bundler} for ${target}`, async () => {
          const resolveFrom = bundler === 'webpack' ? webpackFolder : root
          path = await bundle(bundler, { entry: join(folder, 'portable.mjs'), outDir, target, resolveFrom })
          writeFileSync(join(outDir, 'run.mjs'), "import { run } from './bundle.mjs'\nconsole.log(await run())\n")
          return command(process.execPath, [join(outDir, 'run.mjs')])
        })
        if (path && target !== 'node') {
          await step(`${bundler} for ${target}: in workerd`, () => inWorkerd(path, miniflareFolder))
        }
      }
    }
  },

  /** The examples of every document, pasted; the first also in an empty folder, in each kind of module; and with the test runners. */
  async examples() {
    const tarballs = packInto(newFolder('tarballs'))
    const folder = npmInstall(newFolder('examples'), [tarballs('core'), tarballs('store-memory'), tarballs('fetch')])
    writeFileSync(join(folder, 'stand-ins.mjs'), standIns)
    for (const [file, code] of [
      ['worker.mjs', asModule(root)],
      ['worker.cjs', asCommonJs(root)],
    ]) {
      writeFileSync(join(folder, file), code)
      const args = ['--import', './stand-ins.mjs', file]
      await step(`the README's first example as ${file}`, () => command(process.execPath, args, { cwd: folder }))
    }
    const everything = await project()
    writeFileSync(join(everything, 'stand-ins.mjs'), standIns)
    writeFileSync(join(everything, 'run-example.mjs'), runExample)
    for (const { name, code, isTest, needs } of await everyExample(root)) {
      writeFileSync(join(everything, 'example.mjs'), code)
      const args = ['run-example.mjs', ...(isTest ? ['test'] : [])]
      await step(name, () => {
        const problem = command(process.execPath, args, { cwd: everything, timeout: 60_000 })
        if (needs === undefined) return problem
        return problem?.includes(needs)
          ? undefined
          : `expected an error with: ${needs}\n${problem ?? 'it ended without an error'}`
      })
    }
    const runners = newFolder('runners')
    const packages = ['core', 'store-memory', 'fetch', 'testing'].map(tarballs)
    npmInstall(runners, [...packages, 'jest@30', 'vitest@5', 'vite@8'])
    mkdirSync(join(runners, 'test'))
    for (const [runner, args, env] of [
      ['jest', ['--testMatch', '**/jest.test.mjs'], { NODE_OPTIONS: '--experimental-vm-modules' }],
      ['vitest', ['run', 'test/vitest.test.mjs'], {}],
    ]) {
      writeFileSync(join(runners, `test/${runner}.test.mjs`), await testUnder(runner, root))
      await step(`the example of @tokenward/testing under ${runner}`, () =>
        command(binary(runners, runner), args, { cwd: runners, env }),
      )
    }
  },

  /** What READMEs say about versions that do not go together. */
  async versions() {
    const tarballs = packInto(newFolder('tarballs'))
    const stores = ['core', 'store-memory', 'store-redis', 'store-unstorage'].map(tarballs)
    const install = (names, manifest) => {
      try {
        npmInstall(newFolder('versions'), [...stores, ...names], manifest)
      } catch (error) {
        return String(error)
      }
    }
    await step('store-redis beside store-unstorage', () => install([]))
    await step('with ioredis 5', () => install(['unstorage', 'ioredis@5']))
    const overrides = { unstorage: { ioredis: '$ioredis' } }
    await step('with ioredis 6 and overrides', () =>
      install(['unstorage'], { overrides, dependencies: { ioredis: '^6.0.0' } }),
    )
  },
}

async function inWorkerd(path, toolsFolder) {
  // A file in the folder of the tools, so that its import finds them.
  const file = join(toolsFolder, 'run-in-workerd.mjs')
  writeFileSync(file, await runInWorkerd(path))
  return command(process.execPath, [file], { cwd: toolsFolder })
}

async function runInWorkerd(path) {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { run } from ${JSON.stringify(path)}
        const answer = async () => new Response(await run().catch((error) => error.stack))
        export default { fetch: answer }`,
      resolveDir: root,
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  const [{ text }] = outputFiles
  return `import { Miniflare } from 'miniflare'
    const options = { modules: true, compatibilityDate: '2026-07-01', script: ${JSON.stringify(text)} }
    const miniflare = new Miniflare(options)
    const response = await miniflare.dispatchFetch('http://worker.test/')
    const answer = await response.text()
    await miniflare.dispose()
    if (answer !== 'ok') throw new Error(answer)`
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(PARTS, name))
if (unknown.length > 0) {
  console.error(`there is no part ${unknown.join(', ')}; parts: ${Object.keys(PARTS).join(', ')}`)
  process.exitCode = 2
} else {
  try {
    for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS)) await PARTS[name]()
    console.log(failed === 0 ? 'everything ran' : `${failed} failed`)
    process.exitCode = failed === 0 ? 0 : 1
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
}
