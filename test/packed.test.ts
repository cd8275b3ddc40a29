import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const names = readdirSync(join(root, 'packages'))
let folder: string
const installed = (name: string) => join(folder, 'node_modules/@tokenward', name)

/** Puts every package where a user's install would: packed, its third-party dependencies from this workspace. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenward-packed-'))
  for (const name of names) {
    const source = join(root, 'packages', name)
    const tarball = join(folder, `${name}.tgz`)
    execFileSync('pnpm', ['pack', '--out', tarball], { cwd: source, stdio: 'pipe' })
    mkdirSync(installed(name), { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '-C', installed(name), '--strip-components=1'])
    const { dependencies = {}, peerDependencies = {} } = manifest(name)
    for (const dependency of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (dependency.startsWith('@tokenward/')) continue
      const link = join(installed(name), 'node_modules', dependency)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(source, 'node_modules', dependency), link)
    }
  }
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function manifest(name: string): { dependencies?: Record<string, string>; peerDependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(installed(name), 'package.json'), 'utf8'))
}

test('a packed package holds its build, its types, its README and its licence, and nothing of the workspace', () => {
  for (const name of names) {
    const files = readdirSync(installed(name), { recursive: true, encoding: 'utf8' })
    expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'README.md', 'LICENSE']))
    expect(files.filter((file) => /^(src|test)\b|^ts(config|up)/.test(file))).toEqual([])
    const ranges = Object.entries({ ...manifest(name).dependencies, ...manifest(name).peerDependencies })
    for (const [dependency, range] of ranges) expect(range, `${name} → ${dependency}`).toMatch(/^[\^>]/)
  }
})

test.each([
  ['this Node', process.execPath],
  ['the Node that was there', process.env.TOKENWARD_HOST_NODE ?? process.execPath],
])('the packed packages run on %s, by import and by require', (_what, node) => {
  copyFileSync(join(root, 'test/packed/smoke.mjs'), join(folder, 'smoke.mjs'))
  expect(execFileSync(node, [join(folder, 'smoke.mjs')], { encoding: 'utf8', timeout: 15_000 })).toMatch(/^ok on v/)
})
