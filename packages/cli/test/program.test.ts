import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { runProgram } from '../src/command-line/program'
import { file } from './support'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
if (!existsSync(main)) throw new Error('packages/cli/dist is missing. Run `pnpm build` first.')

let provider: IdentityProvider
let keyFile: { pem: string }

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  keyFile = { pem: await exportPKCS8(privateKey) }
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' }] }
  const metadata = { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks }
  provider = await startIdentityProvider({ clients: { signed: { metadata } } })
})
afterAll(() => provider.close())

interface Run {
  readonly env?: Record<string, string>
  readonly input?: string
  /** Options of Node itself. */
  readonly node?: readonly string[]
}

function start(args: readonly string[], { env = {}, node = [] }: Run = {}): ChildProcess {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [...node, main, ...args], { env: { PATH, ...env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Runs the program as a user does, with its output in pipes. */
async function run(args: readonly string[], options: Run = {}) {
  const child = start(args, options)
  child.stdin?.end(options.input ?? '')
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream & AsyncIterable<string>),
    text(child.stderr as NodeJS.ReadableStream & AsyncIterable<string>),
    once(child, 'exit'),
  ])
  return { stdout, stderr, code }
}

const clientFlags = () => {
  const { clientId } = provider.client('invoice.client')
  return ['--issuer', provider.issuer, '--client-id', clientId, '--scope', 'invoice']
}
const secret = () => provider.client('invoice.client').clientSecret

test('check: the secret from standard input, each step in a line, without colours in a pipe', async () => {
  const args = ['check', ...clientFlags(), '--client-secret-file', '-', '--api', `${provider.invoice.baseURL}list`]
  const { stdout, stderr, code } = await run(args, { input: `${secret()}\n` })
  expect(stderr).toBe('')
  expect(stdout.match(/^ok +\w+/gm)?.map((line) => line.replace(/^ok +/, ''))).toEqual([
    'definition',
    'connection',
    'discovery',
    'authentication',
    'token',
    'api',
  ])
  expect(stdout).toContain('"aud":"urn:invoice"')
  expect(stdout).toMatch(/^It works\.$/m)
  expect(stdout).not.toContain('\u001b')
  expect(code).toBe(0)
})

test('check --json: a report on standard output, and nothing else there; a secret in a flag is warned about', async () => {
  const { stdout, stderr, code } = await run(['check', ...clientFlags(), '--client-secret', 'wrong-secret', '--json'])
  const report = JSON.parse(stdout)
  expect(report).toMatchObject({ version: 1, ok: false, exitCode: 6 })
  expect(report.steps.at(-1)).toMatchObject({ step: 'authentication', status: 'failed', error: 'invalid_client' })
  expect(stderr).toMatch(/^warning: --client-secret shows the secret in the list of processes/)
  expect(stdout + stderr).not.toContain('wrong-secret')
  expect(code).toBe(6)
})

test('check: the clock of this machine is 10 minutes behind, so the server refuses what it signs', async () => {
  // The process has another clock; the server runs in the test's.
  const shift = `
    const Real = Date
    globalThis.Date = class extends Real {
      constructor(...args) { super(...(args.length > 0 ? args : [Real.now() - 600_000])) }
      static now() { return Real.now() - 600_000 }
    }`
  const args = [
    'check',
    '--issuer',
    provider.issuer,
    '--client-id',
    'signed',
    '--key-file',
    file('key.pem', keyFile.pem),
  ]
  const { stdout, code } = await run(args, { node: ['--import', `data:text/javascript,${encodeURIComponent(shift)}`] })
  expect(stdout).toMatch(/The clock of this machine is (599|60[01]) s behind the server's\. Set it \(NTP\)\./)
  expect(stdout).toContain('FAILED    authentication: invalid_client')
  expect(code).toBe(6)
})

test('check: a config file, and the environment', async () => {
  const { clientId, clientSecret } = provider.client('invoice.client')
  const clients = { 'invoice.client': { issuer: provider.issuer, clientId, scope: 'invoice' } }
  const config = file('tokenward.json', JSON.stringify({ clients }))
  const { stdout, code } = await run(['check', '--config', config], { env: { TOKENWARD_CLIENT_SECRET: clientSecret } })
  expect(stdout).toContain('It works.')
  expect(code).toBe(0)
})

test('token: the token and a line break into a pipe, and an API accepts it', async () => {
  const { stdout, stderr, code } = await run(['token', ...clientFlags()], {
    env: { TOKENWARD_CLIENT_SECRET: secret() },
  })
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const headers = { authorization: `Bearer ${stdout.trim()}` }
  expect((await fetch(`${provider.invoice.baseURL}list`, { headers })).status).toBe(200)
})

test('token: a failure goes to standard error, with what to do and an exit code', async () => {
  const { stdout, stderr, code } = await run(['token', ...clientFlags()], { env: { TOKENWARD_CLIENT_SECRET: 'wrong' } })
  expect(stdout).toBe('')
  expect(stderr).toContain('invalid_client (client authentication failed)')
  expect(stderr).toContain('docs/why-no-token.md#invalid_client')
  expect(code).toBe(6)
})

test('serve: a check and a token work against it, faults can be caused, and SIGINT ends it cleanly', async () => {
  const child = start(['serve', '--port', '0', '--lifetime', '70', '--dpop'])
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk) => {
    output += chunk
  })
  const said = async (words: RegExp) => {
    for (;;) {
      const match = words.exec(output)
      if (match) return match
      await once(child.stdout as NodeJS.ReadableStream, 'data')
    }
  }
  await said(/Ctrl-C stops it/)
  const [, printed = ''] = await said(/^npx @tokenward\/cli (check .*)$/m)
  const [, clientSecret = ''] = await said(/^export TOKENWARD_CLIENT_SECRET=(.*)$/m)
  const env = { TOKENWARD_CLIENT_SECRET: clientSecret }
  const args = printed.split(' ')
  const works = await run(args, { env })
  expect(works.stdout).toContain('a DPoP token, JWT, for 70 s')
  expect(works.code).toBe(0)
  const bearer = await run(
    args.filter((flag) => flag !== '--dpop'),
    { env },
  )
  expect(bearer).toMatchObject({ code: 7, stdout: expect.stringContaining('--dpop here, dpop: true') })
  child.stdin?.write('fail 1\n')
  await said(/fails the next 1 requests/)
  expect((await run(args, { env })).stdout).toContain('server_error')
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
})

async function startProxy(env: Record<string, string> = {}, input = secret(), to = provider.invoice.baseURL) {
  const args = [...clientFlags(), '--to', to, ...(to.includes('127.0.0.1') ? [] : ['--allow-insecure-requests'])]
  const child = start(['proxy', '--port', '0', '--client-secret-file', '-', ...args], { env })
  child.stdin?.end(input)
  const [line] = await once((child.stdout as Readable).setEncoding('utf8'), 'data')
  const [, origin = ''] = /^forwards (http:\/\/127\.0\.0\.1:\d+) to /.exec(line) ?? []
  return { child, line, origin }
}

test('proxy: forwards requests with tokens, and SIGTERM ends it cleanly', async () => {
  const { child, line, origin } = await startProxy()
  const stderr = text(child.stderr as Readable)
  expect(line).toBe(
    `forwards ${origin} to ${provider.invoice.baseURL}, with tokens of '${provider.client('invoice.client').clientId}'\n`,
  )
  expect(await (await fetch(`${origin}/whoami`)).json()).toMatchObject({
    client_id: provider.client('invoice.client').clientId,
  })
  child.kill('SIGTERM')
  expect((await once(child, 'exit'))[0]).toBe(0)
  expect(await stderr).toBe('')
})

test('proxy: what goes wrong is a line on standard error, without the secret', async () => {
  const { child, origin } = await startProxy({}, 'wrong-secret')
  const stderr = text(child.stderr as Readable)
  const response = await fetch(`${origin}/whoami`)
  expect(response.status).toBe(502)
  const told = await response.text()
  child.kill('SIGINT')
  expect((await once(child, 'exit'))[0]).toBe(0)
  for (const output of [told, await stderr]) {
    expect(output).toContain('invalid_client')
    expect(output).not.toContain('wrong-secret')
  }
})

// Node uses the proxies of the environment from version 24 on.
test.skipIf(Number.parseInt(process.versions.node, 10) < 24)(
  'proxy: by the proxy of the environment, but for this machine',
  async () => {
    const tunnels: string[] = []
    const gateway = createServer((_request, response) => response.writeHead(500).end())
    gateway.on('connect', ({ url = '' }, socket, head) => {
      tunnels.push(url)
      const connection = connect(Number(new URL(provider.invoice.origin).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        connection.write(head)
        connection.pipe(socket).pipe(connection)
      })
      for (const end of [connection, socket]) end.on('error', () => connection.destroy())
    })
    await once(gateway.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => {
      gateway.closeAllConnections()
      gateway.close()
    })
    const env = {
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
      NO_PROXY: new URL(provider.issuer).host,
    }
    const local = await startProxy(env)
    expect((await fetch(`${local.origin}/whoami`)).status).toBe(200)
    expect(tunnels).toEqual([])
    const { pathname } = new URL(provider.invoice.baseURL)
    const remote = await startProxy(env, secret(), `http://apis.example:8080${pathname}`)
    expect((await fetch(`${remote.origin}/whoami`)).status).toBe(200)
    expect(tunnels).toEqual(['apis.example:8080'])
  },
)

// In this process, with streams that say what a terminal or an old Node would: a real terminal needs a native module.
async function runHere(
  args: readonly string[],
  { isTTY = false, env = {} }: { isTTY?: boolean; env?: Record<string, string> } = {},
) {
  const [stdout, stderr] = [Object.assign(new PassThrough(), { isTTY }), new PassThrough()]
  const code = await runProgram(args, { stdout, stderr, stdin: new PassThrough(), environment: env }, '1.2.3')
  stdout.end()
  stderr.end()
  return { code, stdout: await text(stdout), stderr: await text(stderr) }
}

test('token: to a terminal only with --show', async () => {
  const env = { TOKENWARD_CLIENT_SECRET: secret() }
  const refused = await runHere(['token', ...clientFlags()], { isTTY: true, env })
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--show') })
  const shown = await runHere(['token', ...clientFlags(), '--show'], { isTTY: true, env })
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) })
})

test('token: a DPoP token needs the key that it is bound to', async () => {
  const env = { TOKENWARD_CLIENT_SECRET: secret() }
  const refused = await runHere(['token', ...clientFlags(), '--dpop'], { env })
  expect(refused).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('dpopKeyFile: missing') })
  const withKey = await runHere(['token', ...clientFlags(), '--dpop-key-file', file('key.pem', keyFile.pem)], { env })
  expect(withKey).toMatchObject({ code: 0, stderr: '' })
})

test('colours on a terminal, unless NO_COLOR says no', async () => {
  const args = ['check', '--client-id', 'a']
  expect((await runHere(args, { isTTY: true })).stdout).toContain('\u001b[31mFAILED')
  expect((await runHere(args, { isTTY: true, env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b')
})

test.each<[args: string[], code: number, says: RegExp]>([
  [['--version'], 0, /^1\.2\.3\n$/],
  [['--help'], 0, /check .*\n.*token .*\n.*proxy .*\n.*serve /],
  [['check', '--help'], 0, /--client-secret-file FILE[\s\S]*Exit codes:\n {2}0 /],
  [['token', '--help'], 0, /--show/],
  [['help', 'serve'], 0, /--fail-rate RATE/],
  [[], 2, /usage: tokenward <command>/],
  [['chek'], 2, /chek is not a command; did you mean check\?/],
  [['check', '--isuer', 'x'], 2, /--isuer is not an option; did you mean --issuer\?\nSee: tokenward check --help/],
  [['check', '--issuer'], 2, /--issuer needs a value/],
  [['check', '--issuer', '--client-id', 'a'], 2, /--issuer needs a value/],
  [['check', '--client-secret', ''], 2, /--client-secret is empty: is the variable set/],
  [['check', '--client-id', 'a', '--client-id', 'b'], 2, /--client-id is given twice/],
  [['check', '--json=yes'], 2, /--json has no value/],
  [['check', 'https://login.company.com'], 2, /argument 1 after the command is not expected/],
  [
    ['check', '--client-id', 'my', 'hidden words'],
    2,
    /^argument 3 after the command is not expected: options begin with --, and a value with spaces needs quotes\n/,
  ],
  [['check', '--parameter', 'a'], 2, /--parameter must be NAME=VALUE/],
  [['check', '--timeout-ms', 'soon'], 2, /--timeout-ms must be a number of at least 1/],
  [['check'], 3, /issuer: missing[\s\S]*clientId: missing[\s\S]*clientSecretFile: missing/],
  [['check', '--config', '/nowhere.json'], 3, /\/nowhere\.json: no such file/],
  [['proxy'], 2, /--to is missing/],
  [['proxy', '--to', 'apis.company.com'], 2, /--to must be a URL that begins with https/],
  [['proxy', '--to', 'https://a.example/?q=1'], 2, /--to must have no query/],
  [['proxy', '--to', 'https://a.example', '--port', 'x'], 2, /--port must be a whole number from 0 to 65535, not 'x'/],
  [['proxy', '--to', 'https://a.example'], 3, /issuer: missing/],
  [
    ['proxy', '--to', 'http://a.example', '--issuer', 'https://b.example', '--client-id', 'c', '--auth', 'none'],
    3,
    /baseURL: .*plain http/,
  ],
  [['serve', '--port', '70000'], 2, /--port must be a whole number from 0 to 65532, not '70000'/],
  [['serve', '--fail-rate', '2'], 2, /--fail-rate must be a number from 0 to 1/],
])('tokenward %j exits with %i', async (args, code, says) => {
  const result = await runHere(args)
  expect(result.stdout + result.stderr).toMatch(says)
  expect(result.code).toBe(code)
})

test('serve: a port that is in use', async () => {
  const { port } = new URL(provider.issuer)
  const { code, stderr } = await runHere(['serve', '--port', port])
  expect(stderr).toMatch(new RegExp(`port ${port} is in use: choose others with --port`))
  expect(code).toBe(2)
})
