import { drawScenario } from './scenario'
import type { Finding, FromSearcher, SearchPlan } from './search'
import { shrink } from './shrink'
import { simulate } from './simulation'

// One operating system process of a search. It runs every `step`th seed, and reports each run to its parent.

const SHRINKS_FOR_MS = 60_000
const send = (message: FromSearcher) =>
  new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()))

async function search({ first, step, last }: SearchPlan): Promise<void> {
  for (let seed = first; seed <= last; seed += step) {
    const scenario = drawScenario(seed)
    const outcome = await simulate(scenario)
    const [violation] = outcome.violations
    let finding: Finding | undefined
    if (violation) {
      const smallest = await shrink(scenario, violation.invariant, performance.now() + SHRINKS_FOR_MS)
      finding = { violation, scenario: smallest }
    }
    await send({ seed, processes: scenario.processes, outcome, finding })
  }
  process.disconnect()
}

process.on('message', (plan: SearchPlan) => void search(plan))
process.on('disconnect', () => process.exit(0))
