// Runs the packed packages on every Node line that they promise to run on, oldest first. The Nodes come from npm.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { installPacked } from '../test/packed/install.mjs'

const VERSIONS = ['20.19', '22.12', '22', '24', '26']
const folder = installPacked()
let failed = 0
for (const version of VERSIONS) {
  for (const args of [['smoke.mjs'], ['--test', 'contract.mjs']]) {
    const node = `node-${process.platform}-${process.arch}@${version}`
    const command = ['-y', '-p', node, '--', 'node', ...args.slice(0, -1), join(folder, String(args.at(-1)))]
    const { status, stdout, stderr } = spawnSync('npx', command, { encoding: 'utf8', cwd: folder })
    console.log(`Node ${version.padEnd(6)} ${args.at(-1)?.padEnd(13)} ${status === 0 ? 'ok' : 'FAILED'}`)
    if (status === 0) continue
    failed++
    console.error(`${stdout}\n${stderr}`.slice(-4_000))
  }
}
rmSync(folder, { recursive: true, force: true })
process.exitCode = failed === 0 ? 0 : 1
