// Writes docs/reference from the doc comments of the packages: one page per package.
import { globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application } from 'typedoc'

const root = fileURLToPath(new URL('../../..', import.meta.url))
export const referenceFolder = join(root, 'docs/reference')

/** The packages that have an API to import. */
const names = readdirSync(join(root, 'packages')).filter((name) => {
  const { exports } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
  return exports !== undefined
})

export async function writeReference() {
  rmSync(referenceFolder, { recursive: true, force: true })
  const app = await Application.bootstrapWithPlugins(
    {
      plugin: ['typedoc-plugin-markdown'],
      entryPoints: names.map((name) => join(root, 'packages', name, 'src/index.ts')),
      basePath: join(root, 'packages'),
      tsconfig: join(root, 'tsconfig.json'),
      name: 'Reference',
      readme: 'none',
      out: referenceFolder,
      disableGit: true,
      disableSources: true,
      excludeExternals: true,
      excludePrivate: true,
      includeVersion: false,
      // Its own checks of types would repeat `pnpm types`.
      skipErrorChecking: true,
      logLevel: 'Error',
      // Of typedoc-plugin-markdown.
      outputFileStrategy: 'modules',
      entryFileName: 'index',
      hideBreadcrumbs: true,
      hidePageHeader: true,
      useCodeBlocks: true,
      expandParameters: true,
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      typeDeclarationFormat: 'table',
      enumMembersFormat: 'table',
      sanitizeComments: true,
    },
    [],
  )
  const project = await app.convert()
  if (!project) throw new Error('the doc comments could not be read')
  for (const module of project.children ?? []) module.name = `@tokenward/${module.name.replace(/\/src(\/index)?$/, '')}`
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('the reference could not be written')
  for (const file of globSync('**/*.md', { cwd: referenceFolder })) mendAnchors(join(referenceFolder, file))
}

/** typedoc-plugin-markdown counts some headings that it does not write, so a link to `#name-1` may mean the only heading of that name. */
function mendAnchors(path) {
  const text = readFileSync(path, 'utf8')
  const headings = [...text.matchAll(/^#+ (\w+)/gm)].map(([, heading]) => heading.toLowerCase())
  const mended = text.replace(/\(#(\w+)-(\d+)\)/g, (link, name, number) => {
    const count = headings.filter((heading) => heading === name).length
    return count > 0 && Number(number) >= count ? `(#${name})` : link
  })
  if (mended !== text) writeFileSync(path, mended)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeReference()
