import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const readmes = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
].filter(
  // That every package has one is a convention with a test of its own.
  (readme) => existsSync(join(root, readme)),
)

/** The TypeScript blocks of a README; the first line of each names its file. */
function snippets(readme: string): { file: string; code: string }[] {
  const text = readFileSync(join(root, readme), 'utf8')
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => {
    const [, file] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? []
    if (!file) throw new Error(`a snippet of ${readme} does not say in its first line which file it is: ${code}`)
    return { file, code }
  })
}

test('every snippet of every README compiles against the sources', () => {
  const files = readmes.flatMap((readme) => {
    // Beside its package, so that what the package brings is found as its user would find it.
    const folder = join(root, dirname(readme), 'node_modules/.snippets')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    return snippets(readme).map(({ file, code }) => {
      const path = join(folder, file)
      writeFileSync(path, `${code}\nexport {}\n`)
      return path
    })
  })
  expect(files.length).toBeGreaterThan(readmes.length)
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root)
  const program = ts.createProgram(files, { ...options, noUnusedLocals: false, noEmit: true })
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
    return `${file?.fileName.slice(root.length)}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
  expect(problems).toEqual([])
}, 60_000)

test('the main example is complete in at most 20 lines', () => {
  const [first] = snippets('README.md')
  const lines = first?.code.trim().split('\n').slice(1) ?? []
  expect(lines.length).toBeLessThanOrEqual(20)
})
