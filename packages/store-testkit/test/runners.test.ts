import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { memoryStore } from '@tokenward/store-memory'
import { storeConformance } from '@tokenward/store-testkit'
import { LeasingStore } from '@tokenward/test-support'
import { build } from 'vite'
import { describe, expect, test } from 'vitest'

describe('under vitest', () => {
  describe('the memory store', () => {
    storeConformance({ test, shortestTtlMs: 20, createStore: () => memoryStore(), supportsLease: false })
  })

  describe('a store with leases and groups', () => {
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: async () => new LeasingStore() })
  })

  describe('a store with a fake clock', () => {
    let now = 0
    storeConformance({
      test,
      createStore: () => memoryStore({ now: () => now }),
      supportsLease: false,
      shortestTtlMs: 20_000,
      sleep: async (ms) => {
        now += ms
      },
    })
  })
})

test('under node:test', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenward-testkit-'))
  try {
    const entry = fileURLToPath(new URL('../src/index.ts', import.meta.url))
    const lib = { entry, formats: ['es' as const], fileName: 'testkit' }
    await build({ configFile: false, logLevel: 'silent', build: { lib, outDir: folder, emptyOutDir: false } })
    await writeFile(
      join(folder, 'map.test.mjs'),
      `import { test } from 'node:test'
       import { storeConformance } from './testkit.js'
       const values = new Map()
       const createStore = () => ({
         get: (key) => values.get(key),
         set: (key, value) => void values.set(key, value),
         delete: (key) => void values.delete(key),
       })
       storeConformance({ test, createStore, supportsExpiry: false, supportsLease: false })
       if (process.env.LEASE) storeConformance({ test, createStore, supportsExpiry: false })`,
    )
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const args = ['--test', '--test-reporter=tap', join(folder, 'map.test.mjs')]
    // With this variable set, node:test would report to the runner around it.
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    expect(stdout).toMatch(/# pass 12\n# fail 0/)
    const failing = promisify(execFile)(process.execPath, args, { env: { ...env, LEASE: '1' } })
    await expect(failing).rejects.toMatchObject({ stdout: expect.stringMatching(/# fail [1-9]/) })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
