// Runs every test and says, in its last line, how many passed and how many failed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'tokenward-test-'))
const report = join(folder, 'report.json')
const args = ['exec', 'vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const { status } = spawnSync('pnpm', [...args, ...process.argv.slice(2)], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
})

let passed = 0
let failed = 0
try {
  const totals = JSON.parse(readFileSync(report, 'utf8'))
  passed = totals.numPassedTests
  failed = totals.numFailedTests
  // A file that cannot be loaded has no failed test of its own.
  if (failed === 0) failed = totals.numFailedTestSuites
} catch {
  console.error('the test run left no report')
}
rmSync(folder, { recursive: true, force: true })

// Neither an error outside a test nor a run without tests may look like success.
const ok = status === 0 && failed === 0 && passed > 0
if (!ok && failed === 0) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = ok ? 0 : 1
