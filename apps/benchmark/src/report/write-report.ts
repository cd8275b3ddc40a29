import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { BenchmarkResults } from '../result'
import { pageSections } from './markdown'
import { fillPage } from './page'
import { plots } from './plots'

/** Writes the results as JSON. */
export async function writeJson(file: string, results: BenchmarkResults): Promise<void> {
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`)
}

/** Writes results.json and the plots to a folder, and the tables to the page beside it. Returns the names of the files. */
export async function writeReport(folder: string, results: BenchmarkResults): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  await writeJson(join(folder, 'results.json'), results)
  const drawn = await plots(results)
  for (const [file, svg] of drawn) await writeFile(join(folder, file), svg)
  const written = ['results.json', ...drawn.keys()].map((file) => join(folder, file))
  const page = `${resolve(folder)}.md`
  if (!existsSync(page)) return written
  await writeFile(page, fillPage(await readFile(page, 'utf8'), pageSections(results)))
  return [...written, `${join(folder)}.md`]
}
