import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandsDuring, hasRedis, startRedis, type TestRedis } from '../src'

describe.skipIf(!(await hasRedis()))('on Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.stop())

  test('MONITOR shows each command of a client once, while another one sends commands all the time', async () => {
    const other = redis.connect()
    let isDone = false
    const noise = (async () => {
      while (!isDone) await Promise.all(Array.from({ length: 50 }, () => other.ping()))
    })()
    try {
      const client = redis.connect()
      for (let round = 0; round < 5; round++) {
        const seen = await commandsDuring(redis, async () => {
          await client.set(`key-${round}`, 'line\r\n+OK "quoted"')
          await client.eval("return redis.call('GET', KEYS[1])", 1, `key-${round}`)
        })
        const own = seen.filter(({ line }) => line.includes(`key-${round}`)).map(({ name }) => name)
        expect(own).toEqual(['set', 'eval', 'get'])
      }
    } finally {
      isDone = true
      await noise
    }
  })
})
