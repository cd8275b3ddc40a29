// Runs a script of package.json with the pnpm and the Node that the toolchain needs, on a machine that has only
// some Node and npm: `npm start` and `npm test` need nothing set up before them.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const TOOLCHAIN_NODE = '24.21.0'
const root = fileURLToPath(new URL('..', import.meta.url))
const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const newEnough = major >= 24 ? major !== 24 || minor >= 11 : major === 22 && minor >= 19
const platform = process.platform === 'win32' ? 'win' : process.platform
// The platform's own package, because it needs no install script (newer npm versions skip those silently).
const node = newEnough ? [] : ['-p', `node-${platform}-${process.arch}@${TOOLCHAIN_NODE}`]

const [name, ...args] = process.argv.slice(2)
// The live view shows the fleet, so `npm start -- --watch` starts that sample.
const script = name === 'sample' && args.includes('--watch') ? 'sample:fleet' : name
const command = ['-y', '--allow-scripts=pnpm', '-p', packageManager, ...node, '--', 'pnpm', 'run', script, ...args]
const child = spawn('npx', command, {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: {
    ...process.env,
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    // The packed builds are tried on the Node that is there, too: it may be the oldest that users have.
    TOKENWARD_HOST_NODE: process.execPath,
    // Part of turbo's cache key (turbo.json), which leaves Node's version out.
    TOKENWARD_NODE_VERSION: newEnough ? process.versions.node : TOOLCHAIN_NODE,
  },
})
// The terminal sends Ctrl-C to the whole group: stay until the child has ended in its own way.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`npx could not be started: ${error.message}`)
  process.exitCode = 1
})
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0)
})
