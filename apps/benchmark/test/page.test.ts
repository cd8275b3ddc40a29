import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { pageSections } from '../src/report/markdown'
import { fillPage } from '../src/report/page'
import { plots } from '../src/report/plots'
import type { BenchmarkResults } from '../src/result'

const docs = fileURLToPath(new URL('../../../docs', import.meta.url))
const read = (path: string) => readFileSync(join(docs, path), 'utf8')
const results: BenchmarkResults = JSON.parse(read('benchmarks/results.json'))
const mend = 'run `pnpm bench --from docs/benchmarks/results.json --out docs/benchmarks`'

test('the tables of docs/benchmarks.md are those of results.json', () => {
  const page = read('benchmarks.md')
  expect(page, mend).toBe(fillPage(page, pageSections(results)))
})

test('the plots are those of results.json, and the page shows each of them', async () => {
  const drawn = await plots(results)
  const committed = readdirSync(join(docs, 'benchmarks')).filter((file) => file.endsWith('.svg'))
  expect(committed.sort(), mend).toEqual([...drawn.keys()].sort())
  for (const [file, svg] of drawn) {
    expect(read(`benchmarks/${file}`) === svg, `${file}: ${mend}`).toBe(true)
    expect(read('benchmarks.md')).toContain(`(benchmarks/${file})`)
  }
})

test('every color of a plot has another one for dark pages', async () => {
  for (const [file, svg] of await plots(results)) {
    const [style = ''] = /<style>[^<]*<\/style>/.exec(svg) ?? []
    const used = [...svg.replace(style, '').matchAll(/(?:fill|stroke)="(#[^"]+)"/g)].map(([, color]) => color)
    expect(used.length, file).toBeGreaterThan(0)
    expect(
      [...new Set(used)].filter((color) => !style.includes(`[fill="${color}"]`)),
      file,
    ).toEqual([])
  }
})

test('a page with a section that has no results is refused', () => {
  const page = '<!-- results: cold -->\n<!-- end -->'
  expect(() => fillPage(page, new Map())).toThrow("the page has a section 'cold', and there are no results for it")
  expect(() => fillPage('', new Map([['cold', 'text']]))).toThrow('the page has no section for: cold')
})
