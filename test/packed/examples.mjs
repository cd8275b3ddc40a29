// The examples of the READMEs, changed as little as each kind of project demands.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'

function firstExample(readme) {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(readme, 'utf8')) ?? []
  if (!code) throw new Error(`${readme} has no example`)
  return code
}

/** The first example of the README as an ES module. It contains no types. */
export function asModule(root) {
  return firstExample(join(root, 'README.md'))
}

/** The first example of the README as CommonJS, which has `require` for `import` and no `await` at the top. */
export function asCommonJs(root) {
  const code = asModule(root).replace(/^import (\{.*\}) from (.*)$/gm, 'const $1 = require($2)')
  return `async function main() {\n${code}\n}\nmain()\n`
}

/** Loaded before the example: stands in for the servers that it names, which nobody has. */
export const standIns = `
  process.env.INVOICE_SECRET = 'secret'
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { origin, pathname } = new URL(request.url)
    if (origin === 'https://apis.company.com') {
      const isAuthorized = request.headers.get('authorization') === 'Bearer the-token'
      if (!isAuthorized) throw new Error('the API got no token')
      return Response.json([])
    }
    const issuer = 'https://login.company.com'
    if (origin !== issuer) throw new Error('unexpected request: ' + request.url)
    if (pathname === '/token') {
      return Response.json({ access_token: 'the-token', token_type: 'Bearer', expires_in: 3600 })
    }
    return Response.json({ issuer, token_endpoint: issuer + '/token' })
  }
`

/** The example of @tokenward/testing, which is written for node:test, for another test runner. */
export async function testUnder(runner, root) {
  const { code } = await transform(firstExample(join(root, 'packages/testing/README.md')), { loader: 'ts' })
  const from = { jest: '@jest/globals', vitest: 'vitest' }[runner]
  return code.replace(/(import \{ test \} from )"node:test"/, `$1"${from}"`)
}
