import { expect, test } from 'vitest'
import { readSettings } from '../src/definition/read-settings'
import { SettingsError } from '../src/definition/settings-error'
import { file } from './support'

const config = (clients: object) => file('tokenward.json', JSON.stringify({ $schema: 'x', clients }))
const problems = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('nothing is wrong'),
    (error) => {
      expect(error).toBeInstanceOf(SettingsError)
      return (error as SettingsError).problems.join('\n')
    },
  )

test('flags win over the environment, and that wins over the config file', async () => {
  const path = config({ a: { issuer: 'https://file.example', clientId: 'file', scope: 'file', audience: 'file' } })
  const environment = { TOKENWARD_SCOPE: 'environment', TOKENWARD_CLIENT_ID: 'environment', TOKENWARD_CONFIG: path }
  const { settings, name } = await readSettings({ flags: { scope: 'flag' }, environment })
  expect(settings).toEqual({ issuer: 'https://file.example', clientId: 'environment', scope: 'flag', audience: 'file' })
  expect(name).toBe('a')
})

test('a credential or a server from above replaces the one from below, whatever its kind', async () => {
  const path = config({ a: { issuer: 'https://file.example', clientId: 'a', clientSecretFile: 'secret.txt' } })
  const flags = { keyFile: 'key.pem', tokenEndpoint: 'https://flag.example/token' }
  const { settings } = await readSettings({ flags, environment: { TOKENWARD_CLIENT_SECRET: 's' }, config: path })
  expect(settings).toEqual({ tokenEndpoint: 'https://flag.example/token', clientId: 'a', keyFile: 'key.pem' })
})

test('variables are read by their kind, and an empty one counts as none', async () => {
  const environment = {
    TOKENWARD_DPOP: 'true',
    TOKENWARD_RESOURCE: 'urn:a urn:b',
    TOKENWARD_PARAMETERS: 'tenant=a%26b&x=1',
    TOKENWARD_TIMEOUT_MS: '500',
    TOKENWARD_SCOPE: '',
  }
  const { settings } = await readSettings({ flags: {}, environment })
  expect(settings).toEqual({
    dpop: true,
    resource: ['urn:a', 'urn:b'],
    parameters: { tenant: 'a&b', x: '1' },
    timeoutMs: 500,
  })
  expect(
    await problems(readSettings({ flags: {}, environment: { TOKENWARD_DPOP: 'maybe', TOKENWARD_TIMEOUT_MS: 'x' } })),
  ).toBe('TOKENWARD_DPOP must be true or false\nTOKENWARD_TIMEOUT_MS must be a number of at least 1')
})

test('files of a config file are relative to its folder', async () => {
  const path = config({
    a: { clientId: 'a', keyFile: 'keys/key.pem', assertionFile: '/absolute', clientSecretFile: ['new', '-'] },
  })
  const { settings } = await readSettings({ flags: {}, environment: {}, config: path })
  expect(settings).toMatchObject({
    keyFile: path.replace('tokenward.json', 'keys/key.pem'),
    assertionFile: '/absolute',
    clientSecretFile: [path.replace('tokenward.json', 'new'), '-'],
  })
})

test.each<[string, () => Parameters<typeof readSettings>[0], RegExp]>([
  [
    'several clients',
    () => ({ flags: {}, environment: {}, config: config({ a: {}, b: {} }) }),
    /has 2 clients: choose one with --client \('a', 'b'\)/,
  ],
  [
    'an unknown client',
    () => ({ flags: {}, environment: {}, config: config({ a: {} }), client: 'c' }),
    /has no client 'c'.*; it has: 'a'/,
  ],
  ['a client without a file', () => ({ flags: {}, environment: {}, client: 'c' }), /give that with --config/],
  [
    'a mistyped option',
    () => ({ flags: {}, environment: {}, config: config({ a: { clientid: 'x' } }) }),
    /clientid is not an option; did you mean clientId\?/,
  ],
  [
    'a mistyped member',
    () => ({ flags: {}, environment: {}, config: file('c.json', '{"client": {}}') }),
    /client is not an option; did you mean clients\?\n.*"clients", an object/,
  ],
  [
    'a mistyped client',
    () => ({ flags: {}, environment: {}, config: config({ 'invoice.client': {}, b: {} }), client: 'invoice.clinet' }),
    /has no client 'invoice.clinet' \(did you mean 'invoice.client'\?\); it has: 'invoice.client', 'b'/,
  ],
  [
    'a wrong type',
    () => ({ flags: {}, environment: {}, config: config({ a: { dpop: 'yes', scope: ['a'], resource: [1] } }) }),
    /dpop must be true or false\n.*scope must be a string\n.*resource must be a string, or an array of strings/,
  ],
  [
    'no JSON',
    () => ({ flags: {}, environment: {}, config: file('c.json', '{"clientSecret": "hidden" oops') }),
    /^[^ ]+ is not valid JSON$/,
  ],
  [
    'no clients',
    () => ({ flags: {}, environment: {}, config: file('c.json', '{"clientId": "a"}') }),
    /"clients", an object/,
  ],
  ['no file', () => ({ flags: {}, environment: {}, config: '/nowhere.json' }), /\/nowhere\.json: no such file/],
])('%s: the message says how to mend it', async (_what, sources, message) => {
  const text = await problems(readSettings(sources()))
  expect(text).toMatch(message)
  expect(text).not.toContain('hidden')
})
