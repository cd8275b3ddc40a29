import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Row, Unit } from '../result'
import { isTokenward } from './comparison'
import { formatValue } from './format'
import { colors, plotConfig, withDarkMode } from './theme'

/** What a plot shows: one panel below another, with a line for each library. */
export interface DotPlot {
  readonly title: string
  readonly subtitle: string
  readonly panels: readonly Panel[]
}

export interface Panel {
  readonly title: string
  readonly rows: readonly Row[]
  /** The key of the column. */
  readonly key: string
  readonly unit: Unit
  readonly scale: 'linear' | 'log' | 'symlog'
  /** A line that says where values should stay below. */
  readonly goal?: { readonly value: number; readonly text: string }
}

const WIDTH = 470
const LABELS_WIDTH = 190
const VALUES_WIDTH = 84

/** Draws medians as dots, with a line from the first to the third quartile. */
export async function dotPlot(plot: DotPlot): Promise<string> {
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: plot.title, subtitle: plot.subtitle, anchor: 'start', offset: 14, frame: 'group' },
    vconcat: plot.panels.map(panelSpec),
    spacing: 26,
    padding: 12,
    config: {
      ...plotConfig,
      axisY: {
        labelColor: colors.text,
        labelLimit: 260,
        minExtent: 170,
        maxExtent: 170,
        ticks: false,
        domain: false,
        labelPadding: 8,
      },
    },
  }
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: 'none' })
  return withDarkMode(crop(await view.toSVG()), `${plot.title}. ${plot.subtitle}`)
}

/** Cuts off empty room at both sides: without a font at hand, labels are thought to be wider than they are. */
function crop(svg: string): string {
  const [, left = '0'] = /<g [^>]*transform="translate\(([\d.]+),/.exec(svg) ?? []
  const width = LABELS_WIDTH + WIDTH + VALUES_WIDTH
  return svg.replace(
    /width="\d+" height="(\d+)" viewBox="[^"]*"/,
    (_all, height) =>
      `width="${width}" height="${height}" viewBox="${Number(left) - LABELS_WIDTH} 0 ${width} ${height}"`,
  )
}

function panelSpec({ title, rows, key, unit, scale, goal }: Panel) {
  const data = rows.flatMap((row) => {
    const value = row.values[key]
    if (!value) return []
    return [{ library: row.library, ...value, own: isTokenward(row), label: formatValue(value.median, unit) }]
  })
  const order = [...data].sort((a, b) => a.median - b.median).map(({ library }) => library)
  const color = { condition: { test: 'datum.own', value: colors.own }, value: colors.other }
  const y = { field: 'library', type: 'nominal', sort: order, title: null, axis: { grid: true } }
  const x = {
    field: 'median',
    type: 'quantitative',
    title,
    scale: { type: scale, nice: true, ...(scale === 'linear' && { zero: true }) },
    axis: { grid: false, tickCount: 6 },
  }
  const line = goal && [
    {
      data: { values: [goal] },
      mark: { type: 'rule', color: colors.goal, strokeDash: [5, 4], strokeWidth: 1.5 },
      encoding: { x: { field: 'value', type: 'quantitative' } },
    },
    {
      data: { values: [goal] },
      mark: { type: 'text', color: colors.goal, align: 'left', dx: 5, dy: -4, baseline: 'bottom', fontSize: 11, y: 0 },
      encoding: { x: { field: 'value', type: 'quantitative' }, text: { field: 'text' } },
    },
  ]
  return {
    width: WIDTH,
    height: { step: 24 },
    data: { values: data },
    layer: [
      ...(line ?? []),
      {
        mark: { type: 'rule', strokeWidth: 3, opacity: 0.5 },
        encoding: { y, x: { ...x, field: 'q1' }, x2: { field: 'q3' }, color },
      },
      { mark: { type: 'point', filled: true, size: 90, opacity: 1 }, encoding: { y, x, color } },
      {
        // Beside the plot, where no line crosses it.
        mark: { type: 'text', align: 'left', fontSize: 12, color: colors.text },
        encoding: { y, x: { value: WIDTH + 12 }, text: { field: 'label' } },
      },
    ],
  }
}
