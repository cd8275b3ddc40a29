import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { build, type Plugin } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './documents'
// @ts-expect-error plain JavaScript, because scripts that run without a build step use it too
import { installPacked, packages } from './packed/install.mjs'

const names = packages as string[]
const LIMIT = 60_000

let folder: string

beforeAll(() => {
  folder = installPacked()
}, LIMIT)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const installed = (name: string) => join(folder, 'node_modules/@tokenward', name)

test.each(names)('%s passes publint --strict', async (name) => {
  const { messages, pkg } = await publint({ pkgDir: installed(name), pack: false, strict: true })
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
})

test.each(names)(
  'the types of %s are found as its code is',
  async (name) => {
    const tarball = createPackageFromTarballData(new Uint8Array(readFileSync(join(folder, `${name}.tgz`))))
    const { types, ...analysis } = await checkPackage(tarball)
    expect(types).toMatchObject({ kind: 'included' })
    const problems = 'problems' in analysis ? analysis.problems : []
    // ESM only: for a CommonJS file, TypeScript finds an ES module. README.md says what to do.
    expect(problems.filter(({ kind }) => kind !== 'CJSResolvesToESM')).toEqual([])
  },
  LIMIT,
)

interface BundleOptions {
  /** What is imported by their names, and not put into the bundle. */
  readonly external: (name: string) => boolean
}

/** A minified bundle for a platform of which only web standards are known. */
async function bundle(code: string, { external }: BundleOptions): Promise<Uint8Array> {
  const leaveOut: Plugin = {
    name: 'leave-out',
    setup(setup) {
      setup.onResolve({ filter: /^[^./]/ }, ({ path }) => (external(path) ? { path, external: true } : undefined))
    },
  }
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import'],
    // esbuild warns when it drops an import.
    logLevel: 'error',
    plugins: [leaveOut],
  })
  return outputFiles[0]?.contents ?? new Uint8Array()
}

function manifestOf(name: string): { dependencies?: object; peerDependencies?: object } {
  return JSON.parse(readFileSync(join(installed(name), 'package.json'), 'utf8'))
}

/** The name of the package that an import is of: `@a/b/c` is of `@a/b`. */
const packageOf = (path: string) => path.split('/', path.startsWith('@') ? 2 : 1).join('/')

describe('side effects', () => {
  test('a bundler drops a package of which nothing is used', async () => {
    const code = names.map((name) => `import '@tokenward/${name}'`).join('\n')
    const contents = await bundle(code, { external: (path) => !path.startsWith('@tokenward/') })
    expect(new TextDecoder().decode(contents)).toBe('')
  })

  test('an import leaves no trace in the process', async () => {
    copyFileSync(join(root, 'test/packed/footprint.mjs'), join(folder, 'footprint.mjs'))
    // NestJS itself changes `Reflect` and listens to the process. A library of MQTT.js sets `regeneratorRuntime`.
    const own = names.filter((name) => name !== 'nestjs' && name !== 'mqtt')
    const args = [join(folder, 'footprint.mjs'), ...own.map((name) => `@tokenward/${name}`)]
    await promisify(execFile)(process.execPath, args)
  })
})

/**
 * The most that a package may weigh, in bytes, minified and compressed by gzip: its own code, and with its dependencies. What the
 * user's project brings along (peer dependencies) does not count. To raise a limit is a decision: somebody pays for it on each cold
 * start.
 */
const LIMITS: Readonly<Record<string, readonly [own: number, withDependencies: number]>> = {
  amqp: [2_700, 63_000],
  axios: [4_800, 65_000],
  azure: [2_200, 64_000],
  core: [44_000, 64_000],
  fetch: [2_100, 63_000],
  grpc: [3_700, 63_000],
  identity: [10_500, 68_500],
  kafka: [2_200, 63_000],
  mcp: [1_150, 63_000],
  mqtt: [2_200, 63_000],
  nestjs: [850, 61_500],
  ofetch: [600, 62_500],
  opentelemetry: [3_500, 62_500],
  'store-encrypted': [1_900, 11_200],
  'store-keyv': [800, 800],
  'store-memory': [400, 6_700],
  'store-redis': [3_300, 3_300],
  'store-testkit': [4_100, 4_100],
  'store-unstorage': [1_100, 1_100],
  testing: [3_300, 61_500],
  undici: [2_400, 62_500],
  websocket: [1_900, 63_000],
}

// Nobody bundles a program, so its size is not limited.
const libraries = names.filter((name) => {
  const { bin } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
  return bin === undefined
})

describe('size', () => {
  test.each(libraries)('%s', async (name) => {
    const code = `export * from '@tokenward/${name}'`
    const peers = new Set(Object.keys(manifestOf(name).peerDependencies ?? {}))
    const bundles = await Promise.all([
      bundle(code, { external: (path) => packageOf(path) !== `@tokenward/${name}` }),
      bundle(code, { external: (path) => peers.has(packageOf(path)) || path.startsWith('node:') }),
    ])
    const [ownSize = 0, allSize = 0] = bundles.map((contents) => gzipSync(contents, { level: 9 }).length)
    const limits = LIMITS[name]
    if (!limits) {
      throw new Error(
        `test/publishing.test.ts: add limits for '${name}' to LIMITS. It has ${ownSize} and ${allSize} bytes.`,
      )
    }
    const [own, withDependencies] = limits
    expect(ownSize, 'its own code, in bytes').toBeLessThanOrEqual(own)
    expect(allSize, 'with its dependencies, in bytes').toBeLessThanOrEqual(withDependencies)
    // A limit far above the size would let the package grow unnoticed.
    expect(own, 'the limit of its own code').toBeLessThan(ownSize * 1.25)
    expect(withDependencies, 'the limit with dependencies').toBeLessThan(allSize * 1.25)
  })
})
