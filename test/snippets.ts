import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './documents'

/** The TypeScript blocks of a document. The first line of each names its file. */
export function snippets(document: string): { file: string; code: string }[] {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => {
    const [, file] = /^\/\/ (\S+\.m?ts)\n/.exec(code) ?? []
    if (!file) throw new Error(`a snippet of ${document} does not name its file in its first line: ${code}`)
    return { file, code }
  })
}
