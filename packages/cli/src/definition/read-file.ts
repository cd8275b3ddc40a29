import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { SettingsError } from './settings-error'

let standardInput: Promise<string> | undefined

/**
 * The text of a file that a setting names. `-` is standard input, which is read once.
 *
 * @throws SettingsError that names the setting and the path
 */
export async function readSettingFile(option: string, path: string): Promise<string> {
  if (path === '-') {
    standardInput ??= text(process.stdin)
    return standardInput
  }
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new SettingsError([`${option}: ${path}: ${reason(error)}`])
  }
}

function reason(error: unknown): string {
  const { code } = error as { code?: string }
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EACCES') return 'the file may not be read by this user'
  if (code === 'EISDIR') return 'is a folder'
  return `cannot be read (${code ?? 'unknown error'})`
}

/** The text of a file without the line break that editors and `echo` leave at its end. */
export function withoutLineBreak(content: string): string {
  return content.replace(/\r?\n$/, '')
}
