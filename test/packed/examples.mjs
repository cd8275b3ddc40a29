// The examples of the READMEs, changed as little as each kind of project demands.
import { readdirSync, readFileSync } from 'node:fs'
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
  import dns from 'node:dns'
  process.env.BROKER_SECRET = 'secret'
  process.env.INVOICE_SECRET = 'secret'
  process.env.CATALOG_SECRET = 'secret'
  process.env.AZURE_SECRET = 'secret'
  process.env.ORDERS_SECRET = 'secret'
  process.env.KAFKA_SECRET = 'secret'
  process.env.TOOLS_SECRET = 'secret'
  process.env.CHAT_SECRET = 'secret'
  process.env.IDP_SECRET = 'secret'
  process.env.GRAPH_SECRET = 'secret'
  process.env.MAIL_SECRET = 'secret'
  process.env.REPORTS_SECRET = 'secret'
  process.env.SECRET = 'secret'
  process.env.SHOP_SECRET = 'secret'
  // Nothing leaves this machine.
  dns.lookup = (host, _options, callback) => callback(new Error('no such server: ' + host))
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
    if (pathname.endsWith('/token')) {
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

/** What an example needs that is not there when it is pasted alone, as its output names it. */
const NEEDS = {
  'README.md health.ts': "no client 'invoice.client' is defined",
  'README.md proofs.ts': 'privateKey is not defined',
  'docs/client-authentication.md private-key.ts': 'client.pem',
  // `tokenward serve`. test/getting-started.test.ts runs this page with it.
  'docs/cross-app-access.md cross-app-access.ts': 'the subjectToken supplier failed: ReferenceError',
  'docs/getting-started.md worker.mts': 'http://127.0.0.1:5001/',
  'docs/refresh-tokens.md mail.ts': 'MAIL_REFRESH_TOKEN is missing',
  'docs/refresh-tokens.md many-people.ts': 'the refreshToken supplier failed: ReferenceError',
  // It listens, and no name is known here.
  'docs/stacks.md fastify.ts': 'no such server: localhost',
  'docs/many-tenants.md tenants.ts': 'findTenant is not defined',
  'docs/mtls.md mtls.ts': 'client.crt',
  // These libraries do not use the platform's `fetch`. The token was there when they called the API.
  'packages/amqp/README.md worker.ts': 'no such server: broker.company.com',
  'packages/axios/README.md invoices.ts': 'no such server: apis.company.com',
  'packages/azure/README.md vault.ts': 'no such server: company.vault.azure.net',
  'packages/kafka/README.md worker.ts': 'no such server: kafka.company.com',
  'packages/mcp/README.md tools.ts': 'unexpected request: https://mcp.company.com/mcp',
  'packages/mqtt/README.md worker.ts': 'no such server: broker.company.com',
  'packages/store-redis/README.md tls.ts': '/etc/redis/ca.crt',
  'packages/undici/README.md invoices.ts': 'no such server: apis.company.com',
  'packages/websocket/README.md orders.ts': 'no such server: stream.company.com',
  // These files are beside your own.
  'packages/grpc/README.md invoices.ts': 'invoices.proto',
  'packages/grpc/README.md worker.ts': 'invoices.js',
}

/** NestJS has decorators of parameters, which TypeScript compiles with this option only. */
const DECORATORS = { compilerOptions: { experimentalDecorators: true } }

/** Runs `example.mjs` with the stand-ins. Tests end by themselves; another example may have started a server. */
export const runExample = `
  import './stand-ins.mjs'
  await import('./example.mjs')
  if (!process.argv.includes('test')) process.exit()
`

/**
 * Every TypeScript example of the README, of the pages of the documentation and of the packages' READMEs, as plain JavaScript.
 *
 * @returns {Promise<{ name: string, code: string, isTest: boolean, needs: string | undefined }[]>} `needs` is what its error must name
 */
export async function everyExample(root) {
  const pages = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'))
  const packages = readdirSync(join(root, 'packages'))
  const documents = [
    'README.md',
    ...pages.map((page) => `docs/${page}`),
    ...packages.map((name) => `packages/${name}/README.md`),
  ]
  const examples = documents.flatMap((document) => {
    const text = readFileSync(join(root, document), 'utf8')
    return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => {
      const [, file] = /^\/\/ (\S+)\n/.exec(code) ?? []
      return { name: `${document} ${file}`, source: code }
    })
  })
  return Promise.all(
    examples.map(async ({ name, source }) => {
      const { code } = await transform(source, { loader: 'ts', format: 'esm', tsconfigRaw: DECORATORS })
      return { name, code, isTest: /\.test\.m?ts$/.test(name), needs: NEEDS[name] }
    }),
  )
}
