import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

const built = (name: string) => JSON.stringify(new URL(`../packages/${name}/dist/index.js`, import.meta.url).href)

/** Prints how many bytes of heap each call of `getAccessToken` and of an authorized `fetch` allocates. */
const SCRIPT = `
  import { createTokenManager } from ${built('core')}
  import { createFetch } from ${built('fetch')}
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'c', clientSecret: 's' } },
    requester: { request: async () => ({ access_token: 't', token_type: 'Bearer', expires_in: 3600 }) },
  })
  await tokens.getAccessToken('c')
  const response = Promise.resolve(new Response(null, { status: 204 }))
  globalThis.fetch = () => response
  const catalog = createFetch(tokens, 'c', { baseURL: 'https://api.example/v1' })
  async function bytesPerCall(calls, call) {
    for (let count = 0; count < calls; count++) call()
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    const before = process.memoryUsage().heapUsed
    for (let count = 0; count < calls; count++) call()
    return (process.memoryUsage().heapUsed - before) / calls
  }
  console.log(JSON.stringify({
    object: await bytesPerCall(100_000, () => (globalThis.kept = { a: 1, b: { c: 1, d: 2, e: 3, f: 4 } })),
    cached: await bytesPerCall(400_000, () => tokens.getAccessToken('c')),
    fetch: await bytesPerCall(10_000, () => catalog('items')),
  }))
`

test('a cached token creates no object per call, and a request with it few', async () => {
  // The young generation holds all that is allocated, so that nothing is collected between two measurements.
  const flags = ['--expose-gc', '--max-semi-space-size=256', '--min-semi-space-size=256']
  const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', SCRIPT])
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  expect(errors).toBe('')
  const { object, cached, fetch } = JSON.parse(output)
  // The measurement itself notices two objects per call.
  expect(object).toBeGreaterThan(64)
  // Numbers of the time, kept on the heap. One promise per call, as of an async function, is over 90 bytes more.
  expect(cached).toBeLessThan(100)
  expect(fetch).toBeLessThan(2_500)
})
