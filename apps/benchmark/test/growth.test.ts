import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandsPerSecond, tokenRequestsPerSecond } from '../src/growth/formula'
import { fleetOf } from '../src/growth/measure-growth'
import { growthPlots } from '../src/growth/plots'
import { growthSections } from '../src/growth/sections'
import { simulateStart, simulateSteady } from '../src/growth/simulated-fleet'
import { fillPage } from '../src/report/page'

const docs = (file: string) => readFileSync(new URL(`../../../docs/${file}`, import.meta.url), 'utf8')

test.each([
  [1, 1],
  [5, 1],
  [20, 3],
])(
  '%i processes with %i keys: a fleet needs no more than the formulas say, and not much less',
  async (processes, keys) => {
    const fleet = fleetOf(processes, keys)
    const figures = await simulateSteady(fleet)
    // A renewal more or less at the edge of the lifetime that is counted.
    const edge = keys / (4 * fleet.lifetimeSeconds)
    expect(figures.tokenRequestsPerSecond).toBeLessThanOrEqual(tokenRequestsPerSecond(fleet) + edge)
    expect(figures.tokenRequestsPerSecond).toBeGreaterThanOrEqual(tokenRequestsPerSecond(fleet) - edge)
    expect(figures.commandsPerSecond).toBeLessThanOrEqual(commandsPerSecond(fleet))
    expect(figures.commandsPerSecond).toBeGreaterThan(commandsPerSecond(fleet) / 3)
  },
)

test('a start of all processes requests each token once, with a few commands for each process and key', async () => {
  const { tokenRequests, worstSecond } = await simulateStart(fleetOf(50, 4))
  expect(tokenRequests).toBe(4)
  expect(worstSecond / (50 * 4)).toBeLessThan(6)
})

test('the page and its plots show the results that are beside them', async () => {
  const results = JSON.parse(docs('fleet-size/results.json'))
  const page = docs('fleet-size.md')
  expect(fillPage(page, growthSections(results))).toBe(page)
  for (const [file, svg] of await growthPlots(results)) expect(svg).toBe(docs(`fleet-size/${file}`))
})
