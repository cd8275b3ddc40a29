import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { colors, plotConfig, withDarkMode } from '../report/theme'
import { commandsPerSecond, type Fleet } from './formula'
import type { GrowthResults } from './results'

interface Point {
  readonly x: number
  readonly y: number
  readonly series: string
  readonly isSimulated: boolean
}

interface LinePlot {
  readonly title: string
  readonly subtitle: string
  readonly xTitle: string
  readonly yTitle: string
  readonly points: readonly Point[]
  readonly limit: { readonly value: number; readonly text: string }
}

const COUNTS = [10, 100, 1_000, 10_000]

/** The plots of the page, by file name. */
export async function growthPlots({ steady, start, redis }: GrowthResults): Promise<ReadonlyMap<string, string>> {
  const limit = { value: 1e6 / redis.cpuUs.look, text: 'one core of Redis' }
  const commands: LinePlot = {
    title: 'Commands to Redis in daily life',
    subtitle: 'Dots: simulated. Lines: the formula, an upper limit. Tokens of ten minutes, both axes logarithmic.',
    xTitle: 'processes',
    yTitle: 'commands a second',
    limit,
    points: [1, 10, 100, 1_000].flatMap((keys) => [
      ...COUNTS.map((x) => point(x, commandsPerSecond(tenMinutes(x, keys)), keys, false)),
      ...steady
        .filter((fleet) => fleet.keys === keys)
        .map((fleet) => point(fleet.processes, fleet.commandsPerSecond, keys, true)),
    ]),
  }
  const starts: LinePlot = {
    title: 'The worst second after a start of all processes',
    subtitle:
      'Commands to Redis. The store is empty, and each process wants every token at once. Both axes logarithmic.',
    xTitle: 'processes',
    yTitle: 'commands in the worst second',
    limit,
    points: start.flatMap(({ processes, keys, worstSecond }) => [
      point(processes, worstSecond, keys, true),
      point(processes, worstSecond, keys, false),
    ]),
  }
  return new Map([
    ['commands.svg', await linePlot(commands)],
    ['start.svg', await linePlot(starts)],
  ])
}

const tenMinutes = (processes: number, keys: number): Fleet => ({
  processes,
  keys,
  lifetimeSeconds: 600,
  localLifetimeSeconds: 60,
})

function point(x: number, y: number, keys: number, isSimulated: boolean): Point {
  return { x, y, series: `${keys.toLocaleString('en')} ${keys === 1 ? 'key' : 'keys'}`, isSimulated }
}

async function linePlot({ title, subtitle, xTitle, yTitle, points, limit }: LinePlot): Promise<string> {
  const x = {
    field: 'x',
    type: 'quantitative',
    title: xTitle,
    scale: { type: 'log' },
    axis: { values: COUNTS, format: ',' },
  }
  const y = {
    field: 'y',
    type: 'quantitative',
    title: yTitle,
    scale: { type: 'log' },
    axis: { format: ',~r', tickCount: 6 },
  }
  const detail = { field: 'series', type: 'nominal' }
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, subtitle, anchor: 'start', offset: 14, frame: 'group' },
    width: 480,
    height: 300,
    padding: 12,
    config: plotConfig,
    data: { values: points },
    layer: [
      {
        data: { values: [limit] },
        mark: { type: 'rule', color: colors.goal, strokeDash: [5, 4], strokeWidth: 1.5 },
        encoding: { y: { field: 'value', type: 'quantitative' } },
      },
      {
        data: { values: [limit] },
        mark: { type: 'text', color: colors.goal, align: 'left', baseline: 'bottom', dy: -4, fontSize: 11, x: 4 },
        encoding: { y: { field: 'value', type: 'quantitative' }, text: { field: 'text' } },
      },
      {
        transform: [{ filter: '!datum.isSimulated' }],
        mark: { type: 'line', color: colors.other, strokeWidth: 1.5 },
        encoding: { x, y, detail },
      },
      {
        transform: [{ filter: 'datum.isSimulated' }],
        mark: { type: 'point', filled: true, size: 70, opacity: 1, color: colors.own },
        encoding: { x, y, detail },
      },
      {
        transform: [
          { filter: '!datum.isSimulated' },
          { joinaggregate: [{ op: 'max', field: 'x', as: 'last' }], groupby: ['series'] },
          { filter: 'datum.x === datum.last' },
        ],
        mark: { type: 'text', align: 'left', dx: 8, fontSize: 12, color: colors.text },
        encoding: { x, y, text: { field: 'series' } },
      },
    ],
  }
  const view = new View(parse(compile(spec as unknown as TopLevelSpec).spec), { renderer: 'none' })
  return withDarkMode(await view.toSVG(), `${title}. ${subtitle}`)
}
