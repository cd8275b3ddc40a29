import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Workspace {
  readonly folder: string
  readonly manifest: {
    name: string
    private?: boolean
    exports: unknown
    engines?: { node: string }
    dependencies?: Record<string, string>
    peerDependencies?: Record<string, string>
    devDependencies?: Record<string, string>
  }
  readonly sources: string[]
}

function workspaces(parent: 'packages' | 'apps'): Workspace[] {
  return readdirSync(join(root, parent)).map((name) => {
    const folder = `${parent}/${name}`
    const files = readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
    const sources = files.filter((file) => file.endsWith('.ts')).map((file) => `${folder}/src/${file}`)
    return { folder, manifest: JSON.parse(read(`${folder}/package.json`)), sources }
  })
}

const packages = workspaces('packages')
const apps = workspaces('apps')
const all = [...packages, ...apps]

/** What a source file imports, by name. */
function imports(path: string): string[] {
  return [...read(path).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => String(name))
}

test('what is imported is declared, and packages are imported by their public index only', () => {
  const wrong: string[] = []
  for (const { manifest, sources } of all) {
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    for (const path of sources) {
      for (const name of imports(path)) {
        if (name.startsWith('.') || name.startsWith('node:')) continue
        const [scope, rest] = name.split('/')
        const packageName = name.startsWith('@') ? `${scope}/${rest}` : String(scope)
        if (!declared.has(packageName)) wrong.push(`${path}: ${name} is not declared`)
        if (packageName.startsWith('@tokenward/') && name !== packageName) wrong.push(`${path}: ${name} is too deep`)
      }
    }
  }
  expect(wrong).toEqual([])
})

test('no relative import leaves its own src', () => {
  const wrong: string[] = []
  for (const { folder, sources } of all) {
    for (const path of sources) {
      for (const name of imports(path).filter((each) => each.startsWith('.'))) {
        const target = relative(root, join(root, path, '..', name))
        if (!target.startsWith(`${folder}/src`)) wrong.push(`${path}: ${name}`)
      }
    }
  }
  expect(wrong).toEqual([])
})

test('packages use web-standard APIs: nothing of node:', () => {
  const wrong = packages.flatMap(({ sources }) =>
    sources.filter((path) => imports(path).some((n) => n.startsWith('node:'))),
  )
  expect(wrong).toEqual([])
})

test('the cache and the token source do not know each other; the memory store knows nothing of core', () => {
  expect(imports('packages/core/src/internal/cache/fresh-token-cache.ts').join()).not.toContain('token-source')
  expect(imports('packages/core/src/internal/endpoint/token-source.ts').join()).not.toContain('fresh-token-cache')
  const store = packages.find(({ manifest }) => manifest.name === '@tokenward/store-memory')
  expect(Object.keys(store?.manifest.dependencies ?? {})).toEqual(['lru-cache'])
})

test('the core stays small: openid-client, dpop, and our own memory store', () => {
  const core = packages.find(({ manifest }) => manifest.name === '@tokenward/core')
  // jose is what openid-client itself signs with.
  const allowed = new Set(['openid-client', 'jose', 'dpop', '@tokenward/store-memory'])
  expect(Object.keys(core?.manifest.dependencies ?? {}).filter((name) => !allowed.has(name))).toEqual([])
})

test('the workspace graph has no cycle, test-only dependencies included', () => {
  const edges = new Map(
    all.map(({ manifest }) => [
      manifest.name,
      Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter((n) => n.startsWith('@tokenward/')),
    ]),
  )
  const walk = (name: string, path: readonly string[]): void => {
    expect(path, `cycle: ${[...path, name].join(' → ')}`).not.toContain(name)
    for (const next of edges.get(name) ?? []) walk(next, [...path, name])
  }
  for (const name of edges.keys()) walk(name, [])
})

test('packages are alike: ESM with types, one engine range, a licence, a README', () => {
  for (const { folder, manifest } of packages) {
    expect(manifest.exports).toEqual({ '.': { types: './dist/index.d.ts', default: './dist/index.js' } })
    expect(manifest.engines?.node).toBe('^20.19 || >=22.12')
    for (const file of ['README.md', 'LICENSE'])
      expect(existsSync(join(root, folder, file)), `${folder}/${file}`).toBe(true)
  }
  for (const { manifest } of apps) expect(manifest.private).toBe(true)
})

test('a file of a package stays under about 250 lines', () => {
  const long = packages.flatMap(({ sources }) => sources.filter((path) => read(path).split('\n').length > 280))
  expect(long).toEqual([])
})
