import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { documents, root } from './documents'
import { snippets } from './snippets'

test('every TypeScript snippet of every document compiles against the sources', () => {
  const files = documents.flatMap((document) => {
    // Beside its package, so that imports resolve as they do for a user of that package.
    const workspace = dirname(document) === 'docs' ? 'apps/docs' : dirname(document)
    const folder = join(root, workspace, 'node_modules/.snippets', basename(document, '.md'))
    rmSync(folder, { recursive: true, force: true })
    const found = snippets(document)
    if (found.length > 0) mkdirSync(folder, { recursive: true })
    return found.map(({ file, code }) => {
      const path = join(folder, file)
      writeFileSync(path, `${code}\nexport {}\n`)
      return path
    })
  })
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root)
  const program = ts.createProgram(files, { ...options, noUnusedLocals: false, noEmit: true })
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
    return `${file?.fileName.slice(root.length)}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
  expect(problems).toEqual([])
})

test('what the table of libraries says to write is compiled: it stands in a snippet of the page', () => {
  const page = readFileSync(join(root, 'docs/http-clients.md'), 'utf8')
  const [, table = ''] = page.split('## Libraries that take a fetch')
  const code = snippets('docs/http-clients.md').map((snippet) => snippet.code)
  const cells = [...table.matchAll(/^\| [^|`]+ \| `([^`]+)` \|$/gm)].map(([, cell]) => String(cell))
  expect(cells.length).toBeGreaterThan(5)
  expect(cells.filter((cell) => !code.some((each) => each.includes(cell)))).toEqual([])
})

test('the README of the project and of every package has a TypeScript snippet', () => {
  const readmes = documents.filter((document) => /^(packages\/[^/]+\/)?README\.md$/.test(document))
  expect(readmes.length).toBeGreaterThan(1)
  expect(readmes.filter((readme) => snippets(readme).length === 0)).toEqual([])
})

test('every block of TypeScript or JavaScript begins with ```ts, unindented, so that it is compiled', () => {
  const others = documents.flatMap((document) =>
    [
      ...readFileSync(join(root, document), 'utf8').matchAll(
        /^[ \t]*```[ \t]*(?:[cm]?[jt]sx?|typescript|javascript)\b.*$/gim,
      ),
    ]
      .map(([line]) => line)
      .filter((line) => line !== '```ts')
      .map((line) => `${document}: ${line}`),
  )
  expect(others).toEqual([])
})

test('the first example of the README has at most 20 lines', () => {
  const [first] = snippets('README.md')
  const lines = first?.code.trim().split('\n').slice(1) ?? []
  expect(lines.length).toBeLessThanOrEqual(20)
})
