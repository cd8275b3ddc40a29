import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encryptedStore } from '@tokenward/store-encrypted'
import { storeConformance } from '@tokenward/store-testkit'
import { unstorageStore } from '@tokenward/store-unstorage'
import { expectOneToken, fleet, MINUTE, newKey } from '@tokenward/test-support'
import { createStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let base: string
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'tokenward-unstorage-'))
})
afterAll(() => rm(base, { recursive: true, force: true }))

/** A store of its own Storage over one folder, as another process has it. */
const open = () => unstorageStore(createStorage({ driver: fsDriver({ base }) }))

// The driver writes in place, so two writers may leave a file that is neither’s: a test of its own is about that.
function inFiles(name: string, body: () => Promise<void>) {
  if (!name.startsWith('of concurrent writes one wins')) test.concurrent(name, body)
}

describe('every store’s tests pass', () => {
  storeConformance({ test: inFiles, supportsLease: false, shortestTtlMs: 20, createStore: open })
})

describe('and encrypted', () => {
  const keys = [crypto.getRandomValues(new Uint8Array(32))]
  storeConformance({
    test: inFiles,
    supportsLease: false,
    shortestTtlMs: 20,
    createStore: () => encryptedStore(open(), { keys }),
  })
})

test('among concurrent writers a value is whole, or missing, or an error; the next one that is kept is whole', async () => {
  const key = newKey()
  const stores = [open(), open()] as const
  const values = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(index * 50 + 1))
  const allowed = new Set<unknown>([undefined, 'invalid_entry', ...values])
  const read = async () => {
    const found = await Promise.resolve(stores[0].get(key)).catch(({ code }) => code)
    expect(allowed.has(found), String(found).slice(0, 80)).toBe(true)
  }
  for (let round = 0; round < 10; round++) {
    const writes = values.map((value, index) => stores[index % 2 === 0 ? 0 : 1].set(key, value, MINUTE))
    await Promise.all([...writes, ...Array.from({ length: 20 }, read)])
    await read()
    await stores[0].set(key, 'the next', MINUTE)
    expect(await stores[1].get(key)).toBe('the next')
  }
})

test('two processes share one token', () => expectOneToken(open))

test('a folder that cannot be had is reported, and calls go on', async () => {
  const file = join(base, 'a file')
  await writeFile(file, '')
  const { failures, start, written } = await fleet()
  const store = unstorageStore(createStorage({ driver: fsDriver({ base: join(file, 'folder') }) }))
  expect((await start(store).getAccessToken('c')).value).toBeTruthy()
  await written(1)
  expect(failures).toEqual([
    { operation: 'get', reason: 'ENOTDIR' },
    { operation: 'set', reason: 'ENOTDIR' },
  ])
})
