import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Workspace {
  readonly folder: string
  readonly manifest: {
    name: string
    version: string
    private?: boolean
    author?: unknown
    homepage?: string
    bugs?: string
    repository?: unknown
    keywords?: string[]
    exports: unknown
    main?: string
    types?: string
    engines?: { node: string }
    dependencies?: Record<string, string>
    peerDependencies?: Record<string, string>
    devDependencies?: Record<string, string>
  }
  readonly sources: string[]
  readonly tests: string[]
}

function workspaces(parent: 'packages' | 'apps'): Workspace[] {
  return readdirSync(join(root, parent)).map((name) => {
    const folder = `${parent}/${name}`
    const manifest = JSON.parse(read(`${folder}/package.json`))
    return { folder, manifest, sources: typescriptFiles(`${folder}/src`), tests: typescriptFiles(`${folder}/test`) }
  })
}

function typescriptFiles(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return files.filter((file) => file.endsWith('.ts')).map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
}

const packages = workspaces('packages')
const apps = workspaces('apps')
const all = [...packages, ...apps]

const importsByPath = new Map<string, string[]>()

/** Packages that are programs. They run on Node only, and may bundle workspaces that are not published. */
const PROGRAMS = new Map([['@tokenward/cli', { bundles: ['@tokenward/identity-provider'] }]])

/** What a file imports or re-exports, types included, as it is written there. */
function imports(path: string): string[] {
  const known = importsByPath.get(path)
  if (known) return known
  const names = ts.preProcessFile(read(path)).importedFiles.map(({ fileName }) => fileName)
  importsByPath.set(path, names)
  return names
}

/** The files that a file imports by relative paths. */
function importedFiles(path: string): string[] {
  return imports(path)
    .filter((name) => name.startsWith('.'))
    .map((name) => {
      const target = relative(root, join(root, dirname(path), name)).replaceAll('\\', '/')
      const file = [`${target}.ts`, `${target}/index.ts`, target].find((each) => existsSync(join(root, each)))
      if (!file) throw new Error(`${path} imports ${name}, and no such file was found`)
      return file
    })
}

test('what is imported is declared, and packages are imported by their public index only', () => {
  const wrong: string[] = []
  for (const { manifest, sources } of all) {
    const bundled = PROGRAMS.get(manifest.name)?.bundles.filter((name) => manifest.devDependencies?.[name]) ?? []
    const declared = new Set([...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), ...bundled])
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

test('tests of a workspace import the public index of others only', () => {
  const others = /^(@tokenward\/[^/]+\/|(packages|apps)\/)/
  const wrong: string[] = []
  for (const { folder, tests } of all) {
    for (const path of tests) {
      const relatives = importedFiles(path).filter((file) => !file.startsWith(`${folder}/`))
      const names = imports(path).filter((name) => name.startsWith('@tokenward/'))
      for (const name of [...relatives, ...names].filter((each) => others.test(each))) wrong.push(`${path}: ${name}`)
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

test('packages use web-standard APIs: nothing of node:, apart from programs', () => {
  const libraries = packages.filter(({ manifest }) => !PROGRAMS.has(manifest.name))
  const wrong = libraries.flatMap(({ sources }) =>
    sources.filter((path) => imports(path).some((n) => n.startsWith('node:'))),
  )
  expect(wrong).toEqual([])
})

test('what a program bundles imports only dependencies of the program', () => {
  for (const [name, { bundles }] of PROGRAMS) {
    const { manifest } = packages.find((each) => each.manifest.name === name) ?? {}
    for (const bundle of bundles) {
      const needed = all.find((each) => each.manifest.name === bundle)?.manifest.dependencies ?? {}
      expect(manifest?.dependencies, `${name} bundles ${bundle}`).toMatchObject(needed)
    }
  }
})

/** The layers of core, and the layers that each of them may import. */
const LAYERS = new Map([
  ['manager', ['clients', 'cache', 'store', 'endpoint', 'util']],
  ['clients', ['cache', 'store', 'endpoint', 'util']],
  ['cache', ['store', 'endpoint', 'util']],
  ['store', ['util']],
  ['endpoint', ['util']],
  ['util', []],
])
const INTERNAL = 'packages/core/src/internal/'

/** The folder of a file in internal/; for a file directly in internal/ its own name. */
const layerOf = (path: string) => String(path.slice(INTERNAL.length).split('/')[0])

test('each layer of core imports only the layers below it', () => {
  const files = packages.flatMap(({ sources }) => sources).filter((path) => path.startsWith(INTERNAL))
  expect(new Set(files.map(layerOf))).toEqual(new Set(LAYERS.keys()))
  const wrong = files.flatMap((path) => {
    const allowed = new Set([layerOf(path), ...(LAYERS.get(layerOf(path)) ?? [])])
    const targets = importedFiles(path).filter((file) => file.startsWith(INTERNAL) && !allowed.has(layerOf(file)))
    return targets.map((file) => `${path} imports ${file}`)
  })
  expect(wrong).toEqual([])
})

test('the public index of core exports contracts only, and no contract re-exports internals', () => {
  expect(importedFiles('packages/core/src/index.ts').filter((file) => file.startsWith(INTERNAL))).toEqual([])
  const contracts = readdirSync(join(root, 'packages/core/src')).filter((file) => file.endsWith('.ts'))
  const reexports = contracts.filter((file) =>
    /^export\s+(type\s+)?(\*|\{[^}]*\})[^;'"]*from\s+'\.\/internal\//m.test(read(`packages/core/src/${file}`)),
  )
  expect(reexports).toEqual([])
})

test('no source files import each other in a circle, type imports included', () => {
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path)
    if (start >= 0) circles.push([...way.slice(start), path].join(' → '))
    if (start >= 0 || done.has(path)) return
    for (const next of importedFiles(path)) walk(next, [...way, path])
    done.add(path)
  }
  for (const path of all.flatMap(({ sources }) => sources)) walk(path, [])
  expect(circles).toEqual([])
})

test('the cache does not know the token source; the memory store knows nothing of core', () => {
  const cache = packages.flatMap(({ sources }) => sources).filter((path) => path.startsWith(`${INTERNAL}cache/`))
  expect(cache.filter((path) => imports(path).some((name) => name.endsWith('/token-source')))).toEqual([])
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

test('packages are alike: ESM with types, one engine range, links to the source, a licence, a README', () => {
  const repository = 'https://github.com/tokenward/tokenward'
  for (const { folder, manifest } of packages) {
    expect(manifest.exports).toEqual({ '.': { types: './dist/index.d.ts', default: './dist/index.js' } })
    // For `moduleResolution: node10`, which does not know `exports`.
    expect([manifest.main, manifest.types], folder).toEqual(['./dist/index.js', './dist/index.d.ts'])
    expect(manifest.engines?.node).toBe('^20.19 || >=22.12')
    expect(manifest.repository).toEqual({ type: 'git', url: `git+${repository}.git`, directory: folder })
    expect(manifest.homepage).toBe(`${repository}/tree/main/${folder}#readme`)
    expect(manifest.bugs).toBe(`${repository}/issues`)
    expect(manifest.keywords, folder).toEqual(expect.arrayContaining(['tokenward', 'oauth2', 'access-token']))
    expect(manifest.author, folder).toBeUndefined()
    expect(read(`${folder}/LICENSE`), folder).toBe(read('LICENSE'))
    expect(existsSync(join(root, folder, 'README.md')), `${folder}/README.md`).toBe(true)
  }
})

test('a README of a package has no relative links, because they lead nowhere on npm', () => {
  const relatives = packages.flatMap(({ folder }) =>
    [...read(`${folder}/README.md`).matchAll(/\]\((?!https:\/\/|#)[^)]*\)/g)].map(([link]) => `${folder}: ${link}`),
  )
  expect(relatives).toEqual([])
})

test('a package that was never released has a changeset that makes its first version 0.1.0', () => {
  const changesets = readdirSync(join(root, '.changeset')).filter((file) => file.endsWith('.md'))
  const minors = new Set(
    changesets.flatMap((file) =>
      [...read(`.changeset/${file}`).matchAll(/^'(\S+)': minor$/gm)].map(([, name]) => name),
    ),
  )
  const unreleased = packages
    .filter(({ manifest }) => manifest.version === '0.0.0')
    .map(({ manifest }) => manifest.name)
  expect(unreleased.filter((name) => !minors.has(name))).toEqual([])
})

test('apps are private and have a README', () => {
  for (const { folder, manifest } of apps) {
    expect(manifest.private, folder).toBe(true)
    expect(existsSync(join(root, folder, 'README.md')), `${folder}/README.md`).toBe(true)
  }
})

test('a source file of a package has at most 250 lines', () => {
  const lines = (path: string) => read(path).trimEnd().split('\n').length
  const long = packages.flatMap(({ sources }) => sources.filter((path) => lines(path) > 250))
  expect(long).toEqual([])
})
