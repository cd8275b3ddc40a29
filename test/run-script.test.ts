import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const script = fileURLToPath(new URL('../scripts/run.mjs', import.meta.url))

/** What `npm start` and others run. A `npx` that only prints its arguments, because the real one installs the toolchain. */
async function runs(...args: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenward-npx-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'npx'), '#!/bin/sh\necho "$@"\n')
  await chmod(join(folder, 'npx'), 0o755)
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` }
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect(code).toBe(0)
  return output.trim().split(' -- ').slice(1).join(' -- ')
}

test('a script runs with the pinned pnpm and the options that follow it', async () => {
  expect(await runs('sample', '--redis', '--seconds', '5')).toBe('pnpm run sample --redis --seconds 5')
  expect(await runs('sample:fleet', '--watch')).toBe('pnpm run sample:fleet --watch')
})

test('npm start -- --watch starts the fleet, which has the live view', async () => {
  expect(await runs('sample', '--watch', '--port', '8080')).toBe('pnpm run sample:fleet --watch --port 8080')
})
