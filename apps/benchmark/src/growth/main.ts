import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fillPage } from '../report/page'
import { measureGrowth, SIZES } from './measure-growth'
import { growthPlots } from './plots'
import type { GrowthResults } from './results'
import { growthSections } from './sections'

const { values } = parseArgs({ options: { out: { type: 'string' }, from: { type: 'string' } } })
const results: GrowthResults = values.from
  ? JSON.parse(await readFile(values.from, 'utf8'))
  : await measureGrowth(SIZES, (text) => console.error(text))
const sections = growthSections(results)
for (const text of sections.values()) console.log(`${text}\n`)
if (values.out !== undefined) {
  const { out } = values
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`)
  for (const [file, svg] of await growthPlots(results)) await writeFile(join(out, file), svg)
  await writeFile(`${out}.md`, fillPage(await readFile(`${out}.md`, 'utf8'), sections))
}
