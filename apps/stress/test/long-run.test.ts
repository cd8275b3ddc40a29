import { expect, test } from 'vitest'
import { endure } from '../src/long-run'

// The small version of `pnpm endurance`. It judges counts only, so that the speed of the machine does not matter.
test('after 20,000 calls with faults over 8,000 tokens, no listener, timer, socket or entry is left behind', async () => {
  const { checkpoints, grown, unexpected } = await endure({ calls: 20_000, keys: 8_000, checkpoints: 2 })
  expect(unexpected).toEqual([])
  expect(grown).toEqual([])
  expect(checkpoints).toHaveLength(2)
  expect(checkpoints.at(-1)?.tokens).toBeGreaterThan(1_000)
})
