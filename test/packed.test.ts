import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './documents'
// @ts-expect-error plain JavaScript, because scripts that run without a build step use it too
import { bundle, TARGETS } from './packed/bundlers.mjs'
// @ts-expect-error plain JavaScript, because scripts that run without a build step use it too
import { installPacked, packages } from './packed/install.mjs'

let folder: string

beforeAll(() => {
  folder = installPacked()
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a packed package contains its build, types, README and licence, and no sources or tests', () => {
  for (const name of packages as string[]) {
    const installed = join(folder, 'node_modules/@tokenward', name)
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
      (f) => !f.startsWith('node_modules'),
    )
    expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'README.md', 'LICENSE']))
    expect(files.filter((file) => /^(src|test)\b|^ts(config|up)/.test(file))).toEqual([])
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    const ranges = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })
    for (const [dependency, range] of ranges) expect(range, `${name} → ${dependency}`).toMatch(/^[\^>]/)
  }
})

describe.each([
  ['this Node', process.execPath],
  // scripts/run.mjs may have downloaded a newer Node to run the tests with. This is the one that was installed before.
  ['the Node of this machine', process.env.TOKENWARD_HOST_NODE ?? process.execPath],
])('on %s', (_what, node) => {
  test('the packed packages run, by import and by require, and let the process end', () => {
    const output = execFileSync(node, [join(folder, 'smoke.mjs')], { encoding: 'utf8', timeout: 90_000 })
    expect(output).toMatch(/^ok on v/)
  })

  test('the program tokenward runs, and says which Node its server needs', () => {
    const { bin, version } = JSON.parse(readFileSync(join(folder, 'node_modules/@tokenward/cli/package.json'), 'utf8'))
    const program = join(folder, 'node_modules/@tokenward/cli', bin.tokenward)
    expect(execFileSync(node, [program, '--version'], { encoding: 'utf8' })).toBe(`${version}\n`)
    const major = Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }))
    if (major >= 22) return
    const { status, stderr } = spawnSync(node, [program, 'serve'], { encoding: 'utf8' })
    expect(stderr).toContain('tokenward serve needs Node 22 or later')
    expect(status).toBe(2)
  })

  test('every adapter passes the adapter contract', () => {
    const { status, stdout, stderr } = spawnSync(node, ['--test', join(folder, 'contract.mjs')], {
      encoding: 'utf8',
      timeout: 90_000,
    })
    expect(status, `${stdout}\n${stderr}`.slice(-4_000)).toBe(0)
  }, 120_000)
})

// `pnpm runtimes` does the same with more bundlers, and runs the bundles on the platforms themselves.
test.each(Object.keys(TARGETS))(
  'a bundle for %s works, and needs nothing of Node unless it is for Node',
  async (target) => {
    const outDir = join(folder, `bundle-${target}`)
    const path = await bundle('esbuild', { entry: join(folder, 'portable.mjs'), outDir, target, resolveFrom: root })
    const { run } = await import(pathToFileURL(path).href)
    expect(await run()).toBe('ok')
  },
)

test('the example in the README of @tokenward/testing runs under node:test as it is', () => {
  const readme = readFileSync(join(folder, 'node_modules/@tokenward/testing/README.md'), 'utf8')
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
  const file = join(folder, 'invoice-worker.test.mts')
  writeFileSync(file, code)
  // With this variable set, node:test would report to the runner around it.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], {
    encoding: 'utf8',
    env,
  })
  expect(stdout).toMatch(/# pass 3\n# fail 0/)
  expect(status).toBe(0)
})
