import { rootCertificates } from 'node:tls'
import {
  type ClientAuth,
  type ClientDefinition,
  ClientSecretJwt,
  ClientSecretPost,
  None,
  PrivateKeyJwt,
  TlsClientAuth,
} from '@tokenward/core'
import type { AuthMethod, ClientSettings } from '../client-settings'
import { assertionFromCommand, assertionFromFile } from './assertion'
import { type KeyFromFile, readKeyFile } from './key-file'
import { readSettingFile, withoutLineBreak } from './read-file'
import { SettingsError } from './settings-error'
import { AUTH_METHODS } from './settings-table'
import { type TlsSettings, tlsFetch } from './transport'

const DEFAULT_TIMEOUT_MS = 10_000

/** A client that is ready to request tokens. */
export interface ReadyClient {
  readonly definition: ClientDefinition
  readonly method: AuthMethod | 'client_assertion'
  /** For the methods that use one. Several while it is rotated. They must not be shown. */
  readonly secrets: readonly string[]
  readonly key: KeyFromFile | undefined
  readonly dpopKey: KeyFromFile | undefined
  readonly tls: TlsSettings
  readonly transport: typeof fetch
  readonly timeoutMs: number
}

/**
 * Makes a definition for `createTokenManager` of the settings, with every file that they name read.
 *
 * @param observe wraps the transport to the authorization server
 * @param onAssertion is called with each assertion that a file or a command has supplied
 * @throws SettingsError with everything that is wrong
 */
export async function readyClient(
  settings: ClientSettings,
  observe: (transport: typeof fetch) => typeof fetch = (transport) => transport,
  onAssertion: (assertion: string) => void = () => {},
): Promise<ReadyClient> {
  const problems: string[] = []
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      problems.push(...error.problems)
      return undefined
    }
  }
  const { issuer, tokenEndpoint, clientId, timeoutMs = DEFAULT_TIMEOUT_MS, dpopKeyFile } = settings
  if (issuer === undefined && tokenEndpoint === undefined)
    problems.push('issuer: missing: give the issuer, or tokenEndpoint, the URL of the token endpoint')
  if (clientId === undefined) problems.push('clientId: missing')
  const secrets = (await attempt(() => readSecrets(settings))) ?? []
  const key = await attempt(async () => {
    const { keyFile, keyAlgorithm, keyId } = settings
    return keyFile === undefined ? undefined : readKeyFile('keyFile', keyFile, keyAlgorithm, keyId)
  })
  const dpopKey = await attempt(async () => dpopKeyFile && readKeyFile('dpopKeyFile', dpopKeyFile))
  const tls = (await attempt(() => readTls(settings))) ?? {}
  const method = chooseMethod(settings, problems)
  if (secrets.length > 1 && method !== 'client_secret_basic')
    problems.push(`clientSecret: several secrets work with client_secret_basic only, not with ${method}`)
  const transport = observe(Object.keys(tls).length > 0 ? tlsFetch(tls) : (...request) => fetch(...request))
  if (problems.length > 0 || method === undefined) throw new SettingsError(problems)

  const { scope, resource, audience, parameters, allowInsecureRequests } = settings
  const definition: ClientDefinition = {
    ...(issuer === undefined ? { tokenEndpoint } : { issuer }),
    ...(issuer !== undefined && tokenEndpoint !== undefined && { tokenEndpoint }),
    clientId: String(clientId),
    ...credential(method, settings, onAssertion, { secrets, key, timeoutMs }),
    scope,
    resource,
    audience,
    parameters,
    dpop: dpopKey ? { key: dpopKey.jwk, alg: dpopKey.alg } : (settings.dpop ?? false),
    mtls: settings.certFile !== undefined,
    fetch: transport,
    timeoutMs,
    allowInsecureRequests,
  }
  return { definition, method, secrets, key, dpopKey: dpopKey || undefined, tls, transport, timeoutMs }
}

async function readSecrets({ clientSecret = [], clientSecretFile }: ClientSettings): Promise<readonly string[]> {
  if (clientSecretFile === undefined) return [clientSecret].flat()
  return Promise.all(
    [clientSecretFile].flat().map(async (file) => {
      const secret = withoutLineBreak(await readSettingFile('clientSecretFile', file))
      if (secret === '') throw new SettingsError([`clientSecretFile: ${file} is empty`])
      return secret
    }),
  )
}

async function readTls({ certFile, certKeyFile, caFile }: ClientSettings): Promise<TlsSettings> {
  if ((certFile === undefined) !== (certKeyFile === undefined))
    throw new SettingsError([
      `${certFile === undefined ? 'certFile' : 'certKeyFile'}: missing: certFile and certKeyFile belong together`,
    ])
  return {
    ...(certFile !== undefined && { cert: await readSettingFile('certFile', certFile) }),
    ...(certKeyFile !== undefined && { key: await readSettingFile('certKeyFile', certKeyFile) }),
    ...(caFile !== undefined && { ca: [...rootCertificates, await readSettingFile('caFile', caFile)] }),
  }
}

/** The method that was asked for, or the one that fits the credential. */
function chooseMethod(settings: ClientSettings, problems: string[]): ReadyClient['method'] | undefined {
  const { auth, keyFile, assertionFile, assertionCommand, certFile } = settings
  const hasSecret = settings.clientSecret !== undefined || settings.clientSecretFile !== undefined
  const given = Object.entries({
    'clientSecret or clientSecretFile': hasSecret,
    keyFile: keyFile !== undefined,
    'assertionFile or assertionCommand': assertionFile !== undefined || assertionCommand !== undefined,
  }).flatMap(([name, is]) => (is ? [name] : []))
  const problem = (text: string) => void problems.push(text)
  if (given.length > 1) return problem(`${given.join(' and ')}: a client has one credential: give one of them`)
  if (auth !== undefined && !AUTH_METHODS.includes(auth))
    return problem(`auth: must be one of ${AUTH_METHODS.join(', ')}`)
  const [credential] = given
  const wanted =
    auth === undefined
      ? undefined
      : auth === 'private_key_jwt'
        ? 'keyFile'
        : auth.startsWith('client_secret')
          ? 'clientSecret or clientSecretFile'
          : null
  if (wanted === null && credential !== undefined)
    return problem(`auth: ${auth} uses no ${credential}: leave one of them out`)
  if (typeof wanted === 'string' && credential !== wanted) return problem(`${wanted}: missing: ${auth} needs it`)
  if (auth === 'tls_client_auth' && certFile === undefined)
    return problem('certFile: missing: tls_client_auth needs it')
  if (auth !== undefined) return auth
  if (hasSecret) return 'client_secret_basic'
  if (keyFile !== undefined) return 'private_key_jwt'
  if (credential !== undefined) return 'client_assertion'
  if (certFile !== undefined) return 'tls_client_auth'
  return problem(
    'clientSecretFile: missing, and no other credential is there (keyFile, assertionFile, assertionCommand, certFile). ' +
      'A client without one says auth: none',
  )
}

function credential(
  method: ReadyClient['method'],
  { assertionFile, assertionCommand }: ClientSettings,
  onAssertion: (assertion: string) => void,
  { secrets, key, timeoutMs }: Pick<ReadyClient, 'secrets' | 'key' | 'timeoutMs'>,
): Pick<ClientDefinition, 'clientSecret' | 'clientAuth' | 'clientAssertion'> {
  if (method === 'client_secret_basic') return { clientSecret: secrets }
  if (method !== 'client_assertion') return { clientAuth: authOf(method, secrets[0] ?? '', key) }
  const supply =
    assertionFile === undefined
      ? assertionFromCommand(String(assertionCommand), timeoutMs)
      : assertionFromFile(assertionFile)
  return {
    async clientAssertion() {
      const assertion = await supply()
      onAssertion(assertion)
      return assertion
    },
  }
}

function authOf(
  method: Exclude<AuthMethod, 'client_secret_basic'>,
  secret: string,
  key: KeyFromFile | undefined,
): ClientAuth {
  switch (method) {
    case 'client_secret_post':
      return ClientSecretPost(secret)
    case 'client_secret_jwt':
      return ClientSecretJwt(secret)
    case 'private_key_jwt':
      if (!key) throw new TypeError('private_key_jwt needs a key')
      return PrivateKeyJwt(key.kid === undefined ? key.privateKey : { key: key.privateKey, kid: key.kid })
    case 'tls_client_auth':
      return TlsClientAuth()
    case 'none':
      return None()
  }
}
