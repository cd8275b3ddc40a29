import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { readSettingFile } from './read-file'
import { SettingsError } from './settings-error'

const run = promisify(execFile)

/** Supplies an assertion out of a file. The file is read each time, because platforms replace it. */
export function assertionFromFile(path: string): () => Promise<string> {
  return async () => {
    const assertion = (await readSettingFile('assertionFile', path)).trim()
    if (assertion === '') throw new SettingsError([`assertionFile: ${path} is empty`])
    return assertion
  }
}

/** Supplies an assertion that a command prints. What the command writes to standard error is not shown: it may be secret. */
export function assertionFromCommand(command: string, timeoutMs: number): () => Promise<string> {
  return async () => {
    let output: string
    try {
      const shell = process.platform === 'win32' ? ['cmd.exe', '/d', '/s', '/c'] : ['/bin/sh', '-c']
      const [file = '', ...args] = [...shell, command]
      output = (await run(file, args, { timeout: timeoutMs, maxBuffer: 1_048_576 })).stdout.trim()
    } catch (error) {
      throw new SettingsError([`assertionCommand: ${failure(error, timeoutMs)}. Run it by itself to see its output`])
    }
    if (output === '') throw new SettingsError(['assertionCommand: the command printed nothing'])
    return output
  }
}

function failure(error: unknown, timeoutMs: number): string {
  const { code, killed } = error as { code?: unknown; killed?: boolean }
  if (killed) return `the command did not end within ${timeoutMs} ms`
  return `the command failed (${typeof code === 'number' ? `exit code ${code}` : String(code)})`
}
