import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestClient } from '@tokenward/identity-provider'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const WRITE_EVERY_MS = 1_000

/**
 * What a real worker gets from the platform that it runs on: a private key, and a file with a token that identifies it, as
 * Kubernetes provides it (a projected service account token).
 */
export interface Platform {
  readonly privateKey: CryptoKey
  /** The file with the token of the workload. It is replaced every second. */
  readonly tokenFile: string
  /** The clients that use these keys, as they have to be registered with the authorization server. */
  readonly clients: Readonly<Record<string, TestClient>>
  /** Writes the file, and from then on replaces it every second. `issuer` is the authorization server that the token is for. */
  startWritingTokens(issuer: string): Promise<void>
  close(): Promise<void>
}

export async function startPlatform(): Promise<Platform> {
  const worker = await generateKeyPair('ES256')
  const platform = await generateKeyPair('ES256')
  const folder = await mkdtemp(join(tmpdir(), 'tokenward-workload-'))
  const tokenFile = join(folder, 'token')
  let timer: NodeJS.Timeout | undefined

  const registered = async (publicKey: CryptoKey): Promise<TestClient> => ({
    metadata: {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] },
    },
  })

  return {
    privateKey: worker.privateKey,
    tokenFile,
    clients: {
      'key.client': await registered(worker.publicKey),
      'workload.client': await registered(platform.publicKey),
      'dpop.client': { metadata: { dpop_bound_access_tokens: true } },
    },
    async startWritingTokens(issuer) {
      const write = async () => {
        const token = new SignJWT({
          jti: crypto.randomUUID(),
          iss: 'workload.client',
          sub: 'workload.client',
          aud: issuer,
        })
        const text = await token
          .setProtectedHeader({ alg: 'ES256' })
          .setIssuedAt()
          .setExpirationTime('1m')
          .sign(platform.privateKey)
        // The rename replaces the whole file at once, so that a reader never gets half of a token.
        await writeFile(`${tokenFile}.new`, text)
        await rename(`${tokenFile}.new`, tokenFile)
      }
      await write()
      timer = setInterval(() => void write().catch(() => {}), WRITE_EVERY_MS)
    },
    async close() {
      clearInterval(timer)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
