// Writes the public API of every package to api/<package>.d.ts. It reads the built types, so build first:
// `pnpm api:update` does both.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))

export const packages = readdirSync(join(root, 'packages'))
export const builtPath = (name) => join(root, 'packages', name, 'dist/index.d.ts')
export const snapshotFolder = join(root, 'api')
export const snapshotPath = (name) => join(snapshotFolder, `${name}.d.ts`)

/**
 * The declarations of a bundled d.ts in an order that does not depend on the bundler or on the order of source files:
 * imports, declarations by name, exports by name. Without comments, so that a better sentence is not a change of the API.
 *
 * @param {string} declarations
 * @returns {string}
 */
export function publicApi(declarations) {
  const file = ts.createSourceFile('index.d.ts', declarations, ts.ScriptTarget.Latest, true)
  const printer = ts.createPrinter({ removeComments: true })
  const imports = []
  const exports = []
  const declared = []
  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement)) imports.push(...importLines(statement))
    else if (ts.isExportDeclaration(statement)) exports.push(...exportLines(statement))
    else declared.push({ name: nameOf(statement), text: printer.printNode(ts.EmitHint.Unspecified, statement, file) })
  }
  // The sort is stable: overloads stay in their order, which has a meaning.
  declared.sort((a, b) => compare(a.name, b.name))
  const sections = [imports.sort(compare), declared.map(({ text }) => text), exports.sort(compare)]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function importLines(statement) {
  const from = statement.moduleSpecifier.getText()
  const clause = statement.importClause
  if (!clause) return [`import ${from};`]
  const keyword = clause.isTypeOnly ? 'import type' : 'import'
  const bindings = clause.namedBindings
  return [
    ...(clause.name ? [`${keyword} ${clause.name.text} from ${from};`] : []),
    ...(bindings && ts.isNamespaceImport(bindings) ? [`${keyword} ${bindings.getText()} from ${from};`] : []),
    ...(bindings && ts.isNamedImports(bindings)
      ? bindings.elements.map((element) => `${keyword} { ${element.getText()} } from ${from};`)
      : []),
  ]
}

function exportLines(statement) {
  const from = statement.moduleSpecifier ? ` from ${statement.moduleSpecifier.getText()}` : ''
  const keyword = statement.isTypeOnly ? 'export type' : 'export'
  const clause = statement.exportClause
  if (!clause || !ts.isNamedExports(clause)) return [statement.getText()]
  return clause.elements.map((element) => `${keyword} { ${element.getText()} }${from};`)
}

function nameOf(statement) {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0].name.getText()
  return statement.name?.getText() ?? statement.getText()
}

/** By code unit: the same on every machine, whatever its locale. */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(snapshotFolder, { recursive: true, force: true })
  mkdirSync(snapshotFolder)
  for (const name of packages) writeFileSync(snapshotPath(name), publicApi(readFileSync(builtPath(name), 'utf8')))
  console.log(`${packages.length} snapshots written to api/`)
}
