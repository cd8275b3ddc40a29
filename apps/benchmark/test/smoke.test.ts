import { hostname } from 'node:os'
import { hasRedis } from '@tokenward/local-servers'
import { expect, test } from 'vitest'
import { BENCHMARK_NAMES, type BenchmarkName } from '../src/benchmark-name'
import { pageSections } from '../src/report/markdown'
import type { BenchmarkResults } from '../src/result'
import { runBenchmarks } from '../src/run-benchmarks'
import { scales } from '../src/scale'
import { startLocalBenchServer } from '../src/server/local-bench-server'
import { localWorkers } from '../src/worker/local-workers'

const LIBRARIES = ['tokenward', 'simple-oauth2', 'oauth-fetch']

// Speeds are no subject of this test: it runs each benchmark with a handful of calls, in one process.
test('every benchmark runs, and its result has a value for each column', async () => {
  const shown = new Set<BenchmarkName>()
  const names = (await hasRedis()) ? BENCHMARK_NAMES : BENCHMARK_NAMES.filter((name) => name !== 'fleet')
  const results = await runBenchmarks({
    names,
    scale: scales.tiny,
    workers: localWorkers,
    startServer: startLocalBenchServer,
    only: ({ id }) => LIBRARIES.includes(id),
    progress: (name) => shown.add(name),
  })

  expect(results.benchmarks.map(({ name }) => name)).toEqual(names)
  expect([...shown]).toEqual(names)
  for (const { name, rows, columns } of results.benchmarks) {
    expect(rows.map(({ library }) => library).sort(), name).toEqual([...LIBRARIES].sort())
    for (const { library, values, cannot } of rows) {
      const expected = cannot === undefined ? columns.map(({ key }) => key).sort() : []
      expect(Object.keys(values).sort(), `${name}, ${library}`).toEqual(expected)
    }
    const own = rows.find(({ library }) => library === 'tokenward')
    expect(own?.cannot, name).toBeUndefined()
  }
  expect(results.libraries.map(({ id }) => id)).toEqual(LIBRARIES)
  expect(results.libraries[1]).toMatchObject({ packageName: 'simple-oauth2', version: expect.stringMatching(/^\d+\./) })
  expect(countsOf(results, 'cold', 'requests')).toMatchObject({ tokenward: 1, 'simple-oauth2': 5 })
  expect(countsOf(results, 'revoked', 'requests')).toMatchObject({ tokenward: 1 })
  for (const name of ['cold', 'expiry', 'revoked'] as const)
    expect(countsOf(results, name, 'failed'), name).toMatchObject({ tokenward: 0 })

  // It is committed, so it must not tell where it was made.
  const json = JSON.stringify(results)
  expect(JSON.parse(json)).toEqual(results)
  expect(json).not.toContain(hostname())
  expect(json).not.toContain(process.cwd())
  expect([...pageSections(results).keys()].sort()).toEqual([...names, 'environment', 'libraries'].sort())
})

/** The medians of a column, by library. */
function countsOf({ benchmarks }: BenchmarkResults, name: BenchmarkName, key: string): Record<string, number> {
  const rows = benchmarks.find((benchmark) => benchmark.name === name)?.rows ?? []
  return Object.fromEntries(rows.flatMap(({ library, values }) => (values[key] ? [[library, values[key].median]] : [])))
}
