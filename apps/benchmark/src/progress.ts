import type { BenchmarkName } from './benchmark-name'

/** Returns a function that shows on standard error what is measured now. On a terminal, it replaces its last line. */
export function showProgress(names: readonly BenchmarkName[]): (name: BenchmarkName, text: string) => void {
  const startedAt = performance.now()
  let last: BenchmarkName | undefined
  return (name, text) => {
    const { isTTY } = process.stderr
    // In a file, one line for each benchmark is enough.
    if (!isTTY && name === last) return
    last = name
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    const line = `[${seconds} s] ${names.indexOf(name) + 1} of ${names.length}, ${name}: ${text}`
    process.stderr.write(isTTY ? `\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}` : `${line}\n`)
  }
}
