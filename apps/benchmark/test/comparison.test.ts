import { expect, test } from 'vitest'
import { comparison } from '../src/report/comparison'
import type { BenchmarkResult, BenchmarkResults } from '../src/result'
import { statistic } from '../src/statistic'

const results = (rows: Record<string, readonly number[]>): [BenchmarkResult, BenchmarkResults] => {
  const benchmark: BenchmarkResult = {
    name: 'cached',
    title: 'A call',
    method: '',
    columns: [{ key: 'ratio', title: 'ratio', unit: 'ratio', goal: 1.2, compared: true }],
    rows: Object.entries(rows).map(([library, values]) => ({ library, values: { ratio: statistic(values) } })),
    seconds: 0,
  }
  const environment = { node: '', platform: '', arch: '', cpu: '', cpus: 1, loadAverage: 0 }
  const libraries = Object.keys(rows).map((id) => ({
    id,
    httpClient: id.includes('axios') ? 'axios' : 'fetch',
    use: '',
  }))
  return [benchmark, { schemaVersion: 1, date: '', scale: '', environment, libraries, benchmarks: [benchmark] }]
}

test('a missed goal and a better library are said, with their values', () => {
  expect(comparison(...results({ tokenward: [3, 3.1, 3.2], peer: [2, 2.1, 2.2] }))).toEqual([
    '**tokenward misses its goal**: ratio (goal: at most 1.2). Measured: tokenward 3.10.',
    '**Better than tokenward**, ratio: peer (2.10, tokenward 3.10).',
  ])
})

test('a library whose rounds overlap with those of tokenward is not better', () => {
  expect(comparison(...results({ tokenward: [1, 1.1, 1.2], peer: [0.9, 1.05, 1.3] }))).toEqual([
    'tokenward meets its goal: ratio (goal: at most 1.2).',
  ])
})

test('a library is compared with the adapter of tokenward for its HTTP client', () => {
  const rows = { tokenward: [1], 'tokenward (axios)': [3], 'axios-peer': [2], 'fetch-peer': [2] }
  expect(comparison(...results(rows)).at(-1)).toBe(
    '**Better than tokenward**, ratio: axios-peer (2.00, tokenward 3.00).',
  )
})
