import { readFile } from 'node:fs/promises'
import { type BenchOptions, benchOptions } from './options'
import { showProgress } from './progress'
import { resultsText } from './report/markdown'
import { writeJson, writeReport } from './report/write-report'
import type { BenchmarkResults } from './result'
import { runBenchmarks } from './run-benchmarks'
import { scales } from './scale'
import { startForkedBenchServer } from './server/forked-bench-server'
import { forkedWorkers } from './worker/forked-workers'

async function run({ names, quick, json, out, from }: BenchOptions): Promise<void> {
  const results: BenchmarkResults = from
    ? JSON.parse(await readFile(from, 'utf8'))
    : await runBenchmarks({
        names,
        scale: quick ? scales.quick : scales.full,
        workers: forkedWorkers,
        startServer: startForkedBenchServer,
        progress: showProgress(names),
      })
  console.log(resultsText(results))
  if (json !== undefined) await writeJson(json, results)
  if (out !== undefined) console.log(`\nwritten: ${(await writeReport(out, results)).join(', ')}`)
}

let options: BenchOptions | undefined
try {
  options = benchOptions(process.argv.slice(2))
  await run(options)
} catch (error) {
  console.error(options ? error : error instanceof Error ? error.message : error)
  process.exitCode = options ? 1 : 2
}
