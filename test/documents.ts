import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** The folder of every workspace, from the root. */
const workspaces = [
  ...['packages', 'apps'].flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`)),
  'test/support',
]

/** Every Markdown file at the root, in the documentation and in the workspaces, from the root. */
export const documents = ['.', 'docs', ...workspaces].flatMap((folder) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder))
        .filter((name) => name.endsWith('.md'))
        .map((name) => (folder === '.' ? name : `${folder}/${name}`))
    : [],
)
