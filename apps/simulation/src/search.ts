import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Violation } from './invariants'
import type { Scenario } from './scenario'
import type { Outcome } from './simulation'

/** Which seeds one operating system process runs. */
export interface SearchPlan {
  readonly first: number
  readonly step: number
  readonly last: number
}

/** A broken invariant, and the smallest scenario that breaks it. */
export interface Finding {
  readonly violation: Violation
  readonly scenario: Scenario
}

export interface FromSearcher {
  readonly seed: number
  readonly processes: number
  readonly outcome: Outcome
  readonly finding: Finding | undefined
}

export interface SearchOptions {
  readonly first: number
  readonly count: number
  readonly minutes: number
  readonly workers: number
  /** Where scenarios that break an invariant are written. */
  readonly folder: string
}

/** What a search has done so far. */
export interface Totals {
  runs: number
  calls: number
  events: number
  tokenRequests: number
  storeCommands: number
  /** The simulated time of all processes together. */
  processYears: number
  findings: string[]
}

const YEAR_MS = 365.25 * 86_400_000

/** Runs many seeds, in operating system processes of their own. */
export async function search(options: SearchOptions, report: (totals: Totals) => void): Promise<Totals> {
  const { first, count, minutes, workers, folder } = options
  const totals: Totals = {
    runs: 0,
    calls: 0,
    events: 0,
    tokenRequests: 0,
    storeCommands: 0,
    processYears: 0,
    findings: [],
  }
  const last = Math.min(first + count - 1, Number.MAX_SAFE_INTEGER)
  const children = Array.from({ length: workers }, (_, index) => {
    const child = fork(fileURLToPath(new URL('./searcher.js', import.meta.url)))
    child.on('message', (message: FromSearcher) => void note(message))
    child.send({ first: first + index, step: workers, last } satisfies SearchPlan)
    return child
  })
  async function note({ seed, processes, outcome, finding }: FromSearcher): Promise<void> {
    totals.runs++
    totals.calls += outcome.calls
    totals.events += outcome.events
    totals.tokenRequests += outcome.tokenRequests
    totals.storeCommands += outcome.storeCommands
    totals.processYears += (outcome.simulatedMs * processes) / YEAR_MS
    if (finding) {
      const file = join(folder, `seed-${seed}-${finding.violation.invariant}.json`)
      totals.findings.push(`${file}: ${finding.violation.text}`)
      await mkdir(folder, { recursive: true })
      await writeFile(file, `${JSON.stringify(finding.scenario, null, 2)}\n`)
    }
    report(totals)
  }
  const timer = setTimeout(() => children.forEach((child) => void child.kill()), minutes * 60_000)
  await Promise.all(children.map((child) => once(child, 'exit')))
  clearTimeout(timer)
  return totals
}
