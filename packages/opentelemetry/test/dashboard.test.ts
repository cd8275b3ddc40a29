import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))
const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')

/** The problems that the compiler finds when the text is a dashboard by Grafana's own types. */
function problemsOf(dashboard: string): string[] {
  const path = `${folder}dashboard.generated.ts`
  // Grafana declares enums. In JSON, they are plain strings and numbers.
  const code = `
    import type { Dashboard } from '../node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen'
    type Json<T> = T extends string ? T | \`\${T}\` : T extends number ? (number extends T ? number : T | number)
      : T extends (infer Item)[] ? Json<Item>[] : T extends object ? { [Key in keyof T]: Json<T[Key]> } : T
    export const dashboard: Json<Dashboard> = ${dashboard}`
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (file) => file === path || fileExists(file)
  host.getSourceFile = (file, ...rest) =>
    file === path ? ts.createSourceFile(file, code, ts.ScriptTarget.ES2022) : getSourceFile(file, ...rest)
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

test('the dashboard is one by the types of Grafana', () => {
  const dashboard = read('grafana/dashboard.json')
  expect(problemsOf(dashboard)).toEqual([])
  expect(
    problemsOf(dashboard.replace('"expr"', '"expr": 1, "gridPos"').replace('"timezone"', '"timeZone"')),
  ).not.toEqual([])
})

test('the dashboard and the alerts use metrics that exist', () => {
  const readme = read('README.md')
  const metrics = [...readme.matchAll(/^\| `(tokenward\.\S+)` \| [a-z]/gm)].map(([, name]) =>
    String(name).replaceAll('.', '_'),
  )
  // In alerts and panels a name of a metric is followed by its labels, a range, or a bracket. A label is not.
  for (const file of ['grafana/dashboard.json', 'prometheus/alerts.yml']) {
    const used = [
      ...read(file).matchAll(
        /\b(tokenward_\w+?)(?:_total|\(_seconds\)\?_(?:bucket|count|sum))?(?=[{[]|\\?"[,}]| offset)/g,
      ),
    ]
    const names = new Set(used.map(([, name]) => name))
    expect(names.size).toBeGreaterThan(5)
    expect([...names].filter((name) => !metrics.includes(String(name)))).toEqual([])
  }
})
