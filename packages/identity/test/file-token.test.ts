import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fileToken } from '@tokenward/identity'
import { expect, test } from 'vitest'
import { call, failure, jwt, patientClock, temporaryFile } from './support'

test('the token is what the file has, without the line break at its end', async () => {
  const token = jwt()
  const path = temporaryFile(`${token}\n`)
  expect(await call(fileToken(path))).toBe(token)
  expect(await call(fileToken(pathToFileURL(path)))).toBe(token)
})

test('a rotated file is read at once, also when it is rotated as Kubernetes does: by a link to another folder', async () => {
  const root = dirname(temporaryFile(''))
  const [first, second] = [jwt(), jwt()]
  for (const [folder, token] of [
    ['..1', first],
    ['..2', second],
  ] as const) {
    mkdirSync(join(root, folder))
    writeFileSync(join(root, folder, 'invoice'), token)
  }
  symlinkSync('..1', join(root, '..data'))
  symlinkSync('..data/invoice', join(root, 'invoice'))
  const supplier = fileToken(join(root, 'invoice'))
  expect(await call(supplier)).toBe(first)
  symlinkSync('..2', join(root, '..data_tmp'))
  renameSync(join(root, '..data_tmp'), join(root, '..data'))
  expect(await call(supplier)).toBe(second)
})

test('a file that is being written is read again', async () => {
  const token = jwt()
  const path = temporaryFile(token.slice(0, 20))
  const clock = {
    ...patientClock,
    setTimeout(callback: () => void, delayMs: number) {
      if (delayMs < 5_000) writeFileSync(path, token)
      return patientClock.setTimeout(callback, delayMs)
    },
  }
  expect(await call(fileToken(path, { clock }))).toBe(token)
})

test('the path can be in an environment variable, which is read at each call', async () => {
  const env: Record<string, string> = {}
  const supplier = fileToken({ variable: 'AZURE_FEDERATED_TOKEN_FILE' }, { env })
  const error = await failure(supplier)
  expect(error).toMatchObject({ code: 'identity_unavailable', reason: 'not_available' })
  expect(error.message).toBe('token file: environment variable AZURE_FEDERATED_TOKEN_FILE is not set')
  const token = jwt()
  env.AZURE_FEDERATED_TOKEN_FILE = temporaryFile(token)
  expect(await call(supplier)).toBe(token)
})

test('a file that is not there is named', async () => {
  const path = temporaryFile('')
  unlinkSync(path)
  const error = await failure(fileToken(path))
  expect(error).toMatchObject({ reason: 'not_available', message: `token file: the file '${path}' does not exist` })
  const folder = await failure(fileToken(dirname(path)))
  expect(folder.message).toBe(`token file: the file '${dirname(path)}' cannot be read (EISDIR)`)
})

test.each([
  ['is empty', ' \n', 'invalid_response'],
  ['has no JWT', 'secret-password', 'invalid_response'],
  ['has a JWT without claims', 'aaaa.secret.cccc', 'invalid_response'],
  ['has two tokens', `${jwt()}\n${jwt()}`, 'invalid_response'],
  ['is far too long', 'secret'.repeat(20_000), 'invalid_response'],
  ['has an expiry that is no number', jwt({ exp: 'secret' }), 'invalid_response'],
  ['has an expired token', jwt({ exp: Math.floor(Date.now() / 1_000) - 3_600 }), 'expired'],
])('a file that %s: the error says so, and shows nothing of it', async (_, content, reason) => {
  const error = await failure(fileToken(temporaryFile(content), { clock: patientClock }))
  expect(error.reason).toBe(reason)
  expect(error.message).toMatch(/^token file: the file '.*' is /)
  for (const secret of ['secret', content.trim()].filter(Boolean)) expect(error.message).not.toContain(secret)
})

test('a token that expired less than a minute ago is used, because clocks differ', async () => {
  const token = jwt({ exp: Math.floor(Date.now() / 1_000) - 20 })
  expect(await call(fileToken(temporaryFile(token)))).toBe(token)
})

test('a token without an expiry is used', async () => {
  const token = jwt({ exp: undefined })
  expect(await call(fileToken(temporaryFile(token)))).toBe(token)
})

test('with format opaque, any token without spaces is used', async () => {
  expect(await call(fileToken(temporaryFile('opaque~token\n'), { format: 'opaque' }))).toBe('opaque~token')
  const error = await failure(fileToken(temporaryFile('two tokens'), { format: 'opaque', clock: patientClock }))
  expect(error.reason).toBe('invalid_response')
})

test('a call that was aborted rejects with the reason', async () => {
  const reason = new Error('enough')
  const aborted = call(fileToken(temporaryFile(jwt())), undefined, AbortSignal.abort(reason))
  await expect(aborted).rejects.toBe(reason)
})

test('wrong options are named, with the nearest known one', () => {
  expect(() => fileToken('', { timoutMs: 5, format: 3 } as object)).toThrow(
    expect.objectContaining({
      code: 'invalid_configuration',
      problems: [
        { option: 'fileToken: file', message: 'must be a path, a file URL, or { variable }' },
        { option: 'fileToken: timoutMs', message: 'is not an option; did you mean timeoutMs?' },
        { option: 'fileToken: format', message: 'must be a text, not empty' },
      ],
    }),
  )
})
