import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
// @ts-expect-error plain JavaScript, because `pnpm api:update` runs it without a build step
import * as api from '../scripts/api.mjs'

const { builtPath, packages, publicApi, snapshotFolder, snapshotPath } = api as {
  packages: string[]
  snapshotFolder: string
  builtPath(name: string): string
  snapshotPath(name: string): string
  publicApi(declarations: string): string
}
const update = 'run `pnpm api:update` and commit the changes in api/.'

test.each(packages)('the public API of %s is the one in api/', (name) => {
  if (!existsSync(builtPath(name))) throw new Error(`packages/${name}/dist is missing. Run \`pnpm build\` first.`)
  const built = publicApi(readFileSync(builtPath(name), 'utf8'))
  const snapshot = existsSync(snapshotPath(name)) ? readFileSync(snapshotPath(name), 'utf8') : ''
  expect(built, `The public API of @tokenward/${name} has changed. If that is intended: ${update}`).toBe(snapshot)
})

test('every file in api/ belongs to a package', () => {
  expect(readdirSync(snapshotFolder).sort(), update).toEqual(packages.map((name) => `${name}.d.ts`).sort())
})

test('a snapshot depends neither on the order of declarations nor on comments', () => {
  const first = `import { B, A } from 'x';\n/** One. */\ninterface One {\n    /** Its a. */\n    a: A;\n}\ntype Two = B;\nexport type { One, Two };`
  const second = `import { A, B } from 'x';\ntype Two = B;\ninterface One {\n    a: A;\n}\nexport type { Two, One };`
  expect(publicApi(first)).toBe(publicApi(second))
  expect(publicApi(first)).not.toBe(publicApi(second.replace('a: A', 'a?: A')))
})
