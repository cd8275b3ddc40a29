import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { documents, root } from './documents'
// @ts-expect-error plain JavaScript, because scripts that run without a build step use it too
import { installPacked } from './packed/install.mjs'
import { snippets } from './snippets'

const COMPILERS = {
  current: join(root, 'node_modules/@typescript/native/bin/tsc'),
  /** The oldest that the README promises. */
  oldest: join(root, 'node_modules/typescript-oldest/bin/tsc'),
}
const LIMIT = 120_000

let folder: string

beforeAll(() => {
  folder = installPacked()
}, LIMIT)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Compiles a project inside of the folder, and returns the errors. */
async function errorsOf(project: string, compiler: keyof typeof COMPILERS, options: object, files: readonly string[]) {
  const compilerOptions = { strict: true, noEmit: true, target: 'ES2022', skipLibCheck: true, ...options }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [COMPILERS[compiler], '-p', project], (error, stdout, stderr) =>
      resolve(error ? `${stdout}${stderr}` : ''),
    )
  })
  return output.split('\n').filter((line) => line.includes('error'))
}

function newProject(): string {
  return mkdtempSync(join(folder, 'project-'))
}

const DOM = { lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [] }
const NODE_TYPES = { lib: ['ES2022'], types: ['node'] }

describe('a user’s code compiles', () => {
  test.concurrent.each([
    ['bundler, with the types of browsers', 'current', 'ts', { module: 'ESNext', moduleResolution: 'Bundler', ...DOM }],
    // Our own declarations are checked too, and those of the libraries.
    ['nodenext, with the types of browsers', 'current', 'ts', { module: 'NodeNext', ...DOM, skipLibCheck: false }],
    ['nodenext, with the types of Node', 'current', 'ts', { module: 'NodeNext', ...NODE_TYPES }],
    ['nodenext, in CommonJS', 'current', 'cts', { module: 'NodeNext', ...NODE_TYPES }],
    ['node16', 'oldest', 'ts', { module: 'Node16', ...DOM }],
    ['node10, in CommonJS', 'oldest', 'ts', { module: 'CommonJS', moduleResolution: 'Node10', ...NODE_TYPES }],
  ] as const)(
    '%s (%s TypeScript)',
    async (_what, compiler, extension, options) => {
      const project = newProject()
      copyFileSync(join(root, 'test/packed/consumer.ts'), join(project, `consumer.${extension}`))
      expect(await errorsOf(project, compiler, options, [`consumer.${extension}`])).toEqual([])
    },
    LIMIT,
  )

  test(
    'CommonJS with node16 has to use import(), as the README says',
    async () => {
      const project = newProject()
      const options = { module: 'Node16', ...NODE_TYPES }
      writeFileSync(
        join(project, 'static.cts'),
        `import { createTokenManager } from '@tokenward/core'\ncreateTokenManager`,
      )
      writeFileSync(
        join(project, 'dynamic.cts'),
        `export async function start() {
           const { createTokenManager } = await import('@tokenward/core')
           const tokens = createTokenManager({ clients: { a: { issuer: 'https://as.example', clientId: 'c' } } })
           return (await tokens.getAccessToken('a')).value.length
         }`,
      )
      expect(await errorsOf(project, 'current', options, ['static.cts'])).toEqual([expect.stringContaining('TS1479')])
      expect(await errorsOf(project, 'current', options, ['dynamic.cts'])).toEqual([])
    },
    LIMIT,
  )

  test('the README names the oldest TypeScript that is tested', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules/typescript-oldest/package.json'), 'utf8'))
    const [, oldest] = /^(\d+\.\d+)\./.exec(version) ?? []
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`TypeScript ${oldest} or later`)
  })
})

describe('the examples of every document compile as they are', () => {
  const users = documents.filter((document) => /^(README\.md|docs\/.*|packages\/.*)$/.test(document))

  test.concurrent.each([
    ['bundler', { module: 'ESNext', moduleResolution: 'Bundler' }],
    ['nodenext', { module: 'NodeNext' }],
  ])(
    '%s',
    async (_what, options) => {
      const project = newProject()
      const files = users.flatMap((document) => {
        const name = join(dirname(document), basename(document, '.md'))
        mkdirSync(join(project, name), { recursive: true })
        return snippets(document).map(({ file, code }) => {
          writeFileSync(join(project, name, file), `${code}\nexport {}\n`)
          return join(name, file)
        })
      })
      expect(files.length).toBeGreaterThan(30)
      // The decorators of NestJS need this option.
      const all = { ...options, ...DOM, types: ['node'], experimentalDecorators: true }
      expect(await errorsOf(project, 'current', all, files)).toEqual([])
    },
    LIMIT,
  )
})
