// Builds the site into .vitepress/dist: the pages of docs/, the reference, and both as Markdown for language models.
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vitepress'
import { sections } from '../.vitepress/sections.ts'
import { writeReference } from './reference.mjs'

const repository = 'https://github.com/tokenward/tokenward'
const root = fileURLToPath(new URL('../../..', import.meta.url))
const workspace = join(root, 'apps/docs')
const pages = join(root, 'docs')
const site = join(workspace, '.vitepress/dist')

await writeReference()
await build(workspace)

const reference = globSync('reference/**/*.md', { cwd: pages }).map((path) => path.replaceAll('\\', '/').slice(0, -3))
const packages = reference.filter((page) => !page.endsWith('/index')).map((page) => page.slice('reference/'.length))
const guide = sections.flatMap(({ items }) => items.map(({ link }) => link.slice(1)))

/** The Markdown of a page. Links into the repository lead to GitHub. */
function textOf(page) {
  const text = readFileSync(join(pages, `${page}.md`), 'utf8')
  return page.startsWith('reference/') ? text : text.replaceAll('](../', `](${repository}/tree/main/`)
}

for (const page of [...guide, ...reference]) {
  mkdirSync(dirname(join(site, page)), { recursive: true })
  writeFileSync(join(site, `${page}.md`), textOf(page))
}

writeFileSync(
  join(site, 'llms.txt'),
  [
    '# tokenward',
    '',
    '> OAuth 2.0 access tokens for TypeScript workers, daemons and background jobs: requested, cached, renewed before they expire,',
    '> attached to every request and replaced when an API rejects one.',
    ...sections.flatMap(({ text, items }) => [
      '',
      `## ${text}`,
      '',
      ...items.map(({ text: title, link, about }) => `- [${title}](${link.slice(1)}.md): ${about}`),
    ]),
    '',
    '## Reference',
    '',
    ...packages.map((name) => `- [${name}](reference/${name}.md)`),
    '',
  ].join('\n'),
)
writeFileSync(join(site, 'llms-full.txt'), guide.map(textOf).join('\n\n---\n\n'))
copyFileSync(join(root, 'packages/cli/tokenward.schema.json'), join(site, 'tokenward.schema.json'))
console.log(`${guide.length + reference.length} pages, llms.txt and llms-full.txt are in apps/docs/.vitepress/dist`)
