import { expect, test } from 'vitest'
import { BENCHMARK_NAMES } from '../src/benchmark-name'
import { benchOptions } from '../src/options'

test('without options, every benchmark runs', () => {
  expect(benchOptions([])).toMatchObject({ names: BENCHMARK_NAMES, quick: false })
  expect(benchOptions(['--', '--only', 'memory, cached']).names).toEqual(['cached', 'memory'])
})

test('an unknown benchmark is named, and so are those that exist', () => {
  expect(() => benchOptions(['--only', 'cached,chached'])).toThrow(
    /there is no benchmark 'chached'\. There are: cached, http, cold, .*\n\nusage: pnpm bench/,
  )
})

test('options that contradict each other are refused', () => {
  expect(() => benchOptions(['--only', 'cached', '--out', 'docs/benchmarks'])).toThrow(/--out writes a complete page/)
  expect(() => benchOptions(['--from', 'results.json', '--quick'])).toThrow(/--from runs nothing/)
  expect(() => benchOptions(['--fast'])).toThrow(/--fast/)
})
