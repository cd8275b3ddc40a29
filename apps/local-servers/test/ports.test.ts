import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { redisProgram, startCluster } from '../src'
import { freePort } from '../src/server-process'

// A mock, because a test cannot wait until another process takes a port between its choice and its use.
vi.mock('../src/server-process', async (importOriginal) => {
  const original = await importOriginal<typeof import('../src/server-process')>()
  return { ...original, freePort: vi.fn(original.freePort) }
})

test.skipIf(!(await redisProgram()))(
  'a node of a cluster whose bus port another process takes starts with new ports',
  async () => {
    const port = await freePort()
    vi.mocked(freePort).mockClear()
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    vi.mocked(freePort).mockResolvedValueOnce(port)
    const cluster = await startCluster()
    onTestFinished(() => cluster.stop())
    expect(vi.mocked(freePort).mock.calls.length).toBeGreaterThan(6)
    expect(await cluster.connect().set('key', 'value')).toBe('OK')
  },
)
