import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const core = join(root, 'packages/core/src')

/** The properties of an exported interface, inherited ones included. */
function propertiesOf(file: string, name: string): string[] {
  const path = join(core, file)
  const program = ts.createProgram([path], {
    strict: true,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    module: ts.ModuleKind.ESNext,
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(path)
  const declaration = source?.statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === name)
  if (!declaration) throw new Error(`${file} has no interface ${name}`)
  return checker.getPropertiesOfType(checker.getTypeAtLocation(declaration)).map((property) => property.name)
}

/** The first column of the README table whose first heading is `head`. */
function rowsOf(head: string): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const start = readme.indexOf(`| ${head} |`)
  if (start < 0) throw new Error(`README.md has no table '${head}'`)
  const [table = ''] = readme.slice(start).split('\n\n')
  return [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, option]) => String(option))
}

test.each([
  ['option of a definition', 'client-definition.ts', 'ClientDefinition'],
  ['option of the manager', 'token-manager.ts', 'TokenManagerOptions'],
  ['option of a call', 'token-parameters.ts', 'GetAccessTokenOptions'],
  ['option of an adapter', 'authorized-client-options.ts', 'AuthorizedClientOptions'],
])(
  'the README lists each %s, and no other',
  (head, file, name) => {
    expect(rowsOf(head).sort()).toEqual(propertiesOf(file, name).sort())
  },
  60_000,
)
