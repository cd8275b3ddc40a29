import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { drawScenario, type Scenario } from '../src/scenario'
import { brokenBy, shrink } from '../src/shrink'
import { simulate } from '../src/simulation'
import { down, smallScenario } from './support'

// The managers and the Redis store are real. Time, the network, Redis, the token endpoint and the API are simulated, because no
// real ones can be made to fail at a moment that a seed decides.

/** A fixed set, so that these tests do not depend on chance. `pnpm simulate` tries others. */
const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1)

test('no invariant is broken by these seeds', { timeout: 120_000 }, async () => {
  for (const seed of SEEDS) {
    const { violations, calls } = await simulate(drawScenario(seed))
    expect(violations, `seed ${seed}`).toEqual([])
    expect(calls).toBeGreaterThan(100)
  }
})

test('a seed repeats a run to the letter', async () => {
  const log = async (seed: number) => {
    const lines: string[] = []
    const { hash } = await simulate(drawScenario(seed), (line) => void lines.push(line))
    return { hash, lines }
  }
  const first = await log(6)
  expect(first.lines.length).toBeGreaterThan(300)
  expect(await log(6)).toEqual(first)
  expect((await log(7)).hash).not.toBe(first.hash)
})

const folder = fileURLToPath(new URL('./regressions/', import.meta.url))
const regressions = readdirSync(folder).filter((file) => file.endsWith('.json'))

test.for(regressions)('what was mended stays mended: %s', async (file) => {
  const scenario: Scenario = JSON.parse(readFileSync(`${folder}${file}`, 'utf8'))
  expect((await simulate(scenario)).violations).toEqual([])
})

test('a scenario that breaks an invariant is made small', async () => {
  const scenario = smallScenario({
    processes: 8,
    sabotage: 'slowClock',
    faults: [down(5_000, 50_000), { kind: 'storeFlush', at: 1_000 }, { kind: 'restartAll', at: 2_000 }],
  })
  expect(await brokenBy(scenario)).toBe('notExpired')
  const smallest = await shrink(scenario, 'notExpired', Number.POSITIVE_INFINITY)
  expect(await brokenBy(smallest)).toBe('notExpired')
  expect(smallest.processes).toBe(1)
  expect(smallest.faults.length).toBeLessThan(scenario.faults.length)
})
