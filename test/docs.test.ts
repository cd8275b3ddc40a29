import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize, relative } from 'node:path'
import { expect, test } from 'vitest'
import { sections } from '../apps/docs/.vitepress/sections'
import { documents, root } from './documents'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
/** Without code, in which brackets are no links. */
const proseOf = (path: string) =>
  read(path)
    .replace(/```[\s\S]*?```/g, '')
    .replace(/`[^`\n]*`/g, '')

/** As GitHub and VitePress make them for headings that have no symbols other than those removed here. */
const anchorOf = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const anchorsOf = (path: string) =>
  [
    ...read(path)
      .replace(/```[\s\S]*?```/g, '')
      .matchAll(/^#{1,6} (.+)$/gm),
  ].map(([, heading]) => anchorOf(String(heading)))

test('every link to a file of the repository leads to a file, and to a heading that is there', () => {
  const wrong: string[] = []
  for (const document of documents) {
    for (const [, target = ''] of proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? document : normalize(join(dirname(document), path))
      // The reference is written when the site is built.
      if (file.startsWith('docs/reference')) continue
      const isThere = existsSync(join(root, file)) && !relative(root, join(root, file)).startsWith('..')
      if (!isThere) wrong.push(`${document}: ${target}`)
      else if (anchor && !anchorsOf(file).includes(anchor)) wrong.push(`${document}: ${target} (no such heading)`)
    }
  }
  expect(wrong).toEqual([])
})

test('the sidebar of the site lists every page of the documentation, and no other', () => {
  const pages = documents.filter((path) => dirname(path) === 'docs').map((path) => basename(path, '.md'))
  const listed = sections.flatMap(({ items }) => items.map(({ link }) => link.slice(1)))
  expect(listed.sort()).toEqual(pages.filter((name) => name !== 'index').sort())
})

test('the first page of the documentation lists every page, as the sidebar does', () => {
  const list = sections.map(({ text, items }) => {
    const lines = items.map(({ text: title, link, about }) => `- [${title}](${link.slice(1)}.md): ${about}\n`)
    return `## ${text}\n\n${lines.join('')}`
  })
  expect(read('docs/index.md').split('\n---\n')[1]?.trim()).toBe(list.join('\n').trim())
})
