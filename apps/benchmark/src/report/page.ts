/** The parts of a page that are generated: between `<!-- results: NAME -->` and `<!-- end -->`. */
const SECTION = /<!-- results: (\S+) -->\n[\s\S]*?<!-- end -->/g

/**
 * Puts generated sections into a page.
 *
 * @throws Error when the page has a section that was not generated, or lacks one
 */
export function fillPage(page: string, sections: ReadonlyMap<string, string>): string {
  const missing = new Set(sections.keys())
  const filled = page.replace(SECTION, (_all, name: string) => {
    const text = sections.get(name)
    if (text === undefined) throw new Error(`the page has a section '${name}', and there are no results for it`)
    missing.delete(name)
    return `<!-- results: ${name} -->\n\n${text}\n\n<!-- end -->`
  })
  if (missing.size > 0) throw new Error(`the page has no section for: ${[...missing].join(', ')}`)
  return filled
}
