/** Each color of a plot: in light, and in dark. */
const COLORS = {
  text: ['#1f2328', '#e6edf3'],
  muted: ['#59636e', '#9198a1'],
  grid: ['#d1d9e0', '#3d444d'],
  own: ['#0969da', '#4493f8'],
  other: ['#818b98', '#656c76'],
  goal: ['#1a7f37', '#3fb950'],
} as const

/** The colors in light. */
export const colors = Object.fromEntries(Object.entries(COLORS).map(([name, [light]]) => [name, light])) as Readonly<
  Record<keyof typeof COLORS, string>
>

/** The configuration that all plots have in common. */
export const plotConfig = {
  // The plot has one label as a whole.
  aria: false,
  font: 'system-ui, -apple-system, "Segoe UI", sans-serif',
  background: 'transparent',
  view: { stroke: null },
  title: {
    color: colors.text,
    subtitleColor: colors.muted,
    fontSize: 15,
    subtitleFontSize: 12,
    subtitlePadding: 6,
  },
  axis: {
    labelColor: colors.muted,
    titleColor: colors.muted,
    gridColor: colors.grid,
    domainColor: colors.grid,
    tickColor: colors.grid,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  },
}

/**
 * Makes a plot readable on a dark page too. GitHub shows it as an image, in which a style sheet still sees the
 * reader's choice. Style rules win against the attributes that hold the colors.
 */
export function withDarkMode(svg: string, title: string): string {
  const rules = Object.values(COLORS).map(
    ([light, dark]) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`,
  )
  const style = `<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`
  const label = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `${svg.replace(/^<svg [^>]*>/, (tag) => `${tag.replace('<svg ', '<svg role="img" ')}<title>${label}</title>${style}`)}\n`
}
