import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const rows = readFileSync(join(root, 'SECURITY.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (---|what is protected)/.test(line))

/** The titles of the tests in a file: the first argument of each call of `test` and of what `test.each` and the like return. */
function titles(file: string): Set<string> {
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    const title = ts.isCallExpression(node) ? node.arguments[0] : undefined
    if (title && ts.isStringLiteralLike(title) && /^test\b/.test(node.getText())) found.add(title.text)
    ts.forEachChild(node, visit)
  }
  const text = readFileSync(join(root, file), 'utf8')
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
  return found
}

test('each row of the threat model names the tests that hold it, and these tests exist', () => {
  expect(rows.length).toBeGreaterThan(30)
  const wrong: string[] = []
  for (const row of rows) {
    const tests = [...row.matchAll(/`([^`]+\.test\.ts)`: \*([^*]+)\*/g)]
    if (tests.length === 0) wrong.push(`no test: ${row.slice(0, 100)}`)
    for (const [, file = '', title = ''] of tests) {
      if (!existsSync(join(root, file))) wrong.push(`no such file: ${file}`)
      else if (!titles(file).has(title)) wrong.push(`no such test in ${file}: ${title}`)
    }
  }
  expect(wrong).toEqual([])
})
