import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const core = 'packages/core/src'
const testing = 'packages/testing'
const opentelemetry = 'packages/opentelemetry'

/** The properties of an exported interface, inherited ones included. */
function propertiesOf(file: string, name: string): string[] {
  const path = join(root, file)
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

/** The first column of the table in `document` whose first heading is `head`. */
function rowsOf(document: string, head: string): string[] {
  const text = readFileSync(join(root, document), 'utf8')
  const start = text.indexOf(`| ${head} |`)
  if (start < 0) throw new Error(`${document} has no table '${head}'`)
  const [table = ''] = text.slice(start).split('\n\n')
  return [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, option]) => String(option))
}

test.each([
  ['option of a definition', 'README.md', `${core}/client-definition.ts`, 'ClientDefinition'],
  ['option of the manager', 'README.md', `${core}/token-manager.ts`, 'TokenManagerOptions'],
  ['option of a call', 'README.md', `${core}/token-parameters.ts`, 'GetAccessTokenOptions'],
  ['option of an adapter', 'README.md', `${core}/authorized-client-options.ts`, 'AuthorizedClientOptions'],
  ['event', 'README.md', `${core}/events.ts`, 'TokenEvents'],
  ['option of test tokens', `${testing}/README.md`, `${testing}/src/create-test-tokens.ts`, 'TestTokensOptions'],
  ['option of a test client', `${testing}/README.md`, `${testing}/src/test-client.ts`, 'TestClient'],
  ['option of instrument', `${opentelemetry}/README.md`, `${opentelemetry}/src/instrument.ts`, 'InstrumentOptions'],
  ['option of a failure', `${testing}/README.md`, `${testing}/src/test-failure.ts`, 'TestFailure'],
])(
  'each %s is in the table of %s, and no other',
  (head, document, file, name) => {
    expect(rowsOf(document, head).sort()).toEqual(propertiesOf(file, name).sort())
  },
  60_000,
)
