import { createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto'
import { type CryptoKey, importJWK, type JWK } from 'jose'
import { readSettingFile } from './read-file'
import { SettingsError } from './settings-error'

/** A private key from a file, with what its file says about it. */
export interface KeyFromFile {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
  readonly alg: string
  readonly kid: string | undefined
}

const ALGORITHM_OF_CURVE: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'Ed25519',
}

/**
 * Reads a private key: PEM (PKCS#8, PKCS#1, SEC1) or a JWK.
 *
 * @param option the setting that names the file
 * @throws SettingsError that says what is wrong, and quotes nothing of the file
 */
export async function readKeyFile(
  option: string,
  path: string,
  algorithm?: string,
  keyId?: string,
): Promise<KeyFromFile> {
  const content = await readSettingFile(option, path)
  const fail = (problem: string) => new SettingsError([`${option}: ${path} ${problem}`])
  const jwk = content.trimStart().startsWith('{') ? parseJwk(content, fail) : parsePem(content, fail)
  const alg = algorithm ?? jwk.alg ?? (jwk.kty === 'RSA' ? 'RS256' : ALGORITHM_OF_CURVE[String(jwk.crv)])
  if (alg === undefined) throw fail(`has a key of the type ${jwk.kty} ${jwk.crv ?? ''}, which cannot sign`)
  try {
    // `ext` and `key_ops` may forbid what is needed here.
    const { ext, key_ops, ...rest } = jwk
    const privateKey = (await importJWK({ ...rest, alg }, alg)) as CryptoKey
    return { privateKey, jwk, alg, kid: keyId ?? jwk.kid }
  } catch {
    throw fail(`has a key that cannot be used with ${alg}`)
  }
}

function parseJwk(content: string, fail: (problem: string) => SettingsError): JWK {
  let jwk: JWK
  try {
    jwk = JSON.parse(content)
  } catch {
    throw fail('is not valid JSON')
  }
  if ('keys' in jwk) throw fail('is a set of keys: put the one private key into a file of its own')
  if (typeof jwk.kty !== 'string') throw fail('is not a JWK: it has no kty')
  if (jwk.kty === 'oct') throw fail('has a shared secret: use clientSecretFile with client_secret_jwt')
  if (typeof jwk.d !== 'string') throw fail('has a public key: the private key is needed')
  return jwk
}

function parsePem(content: string, fail: (problem: string) => SettingsError): JWK {
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(content))
    throw fail('is protected by a passphrase: write the key without it to a file that only you can read (openssl pkey)')
  try {
    return exported(createPrivateKey(content).export({ format: 'jwk' }))
  } catch {
    throw fail(
      isPublic(content) ? 'has a public key or a certificate: the private key is needed' : 'is no PEM or JWK key',
    )
  }
}

function exported(jwk: JsonWebKey): JWK {
  return jwk as JWK
}

function isPublic(content: string): boolean {
  try {
    createPublicKey(content)
    return true
  } catch {
    return false
  }
}
