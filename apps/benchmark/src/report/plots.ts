import type { BenchmarkName } from '../benchmark-name'
import type { BenchmarkResult, BenchmarkResults, Row } from '../result'
import { type DotPlot, dotPlot, type Panel } from './dot-plot'

/** Draws the plots of the page, by file name. A plot whose benchmark did not run is left out. */
export async function plots(results: BenchmarkResults): Promise<ReadonlyMap<string, string>> {
  const find = (name: BenchmarkName) => results.benchmarks.find((benchmark) => benchmark.name === name)
  const specs = PLOTS.map((plot) => ({ ...plot, panels: plot.panels.flatMap((each) => panel(each, find(each.from))) }))
  const drawn = specs
    .filter(({ panels }) => panels.length > 0)
    .map(async ({ file, ...plot }): Promise<[string, string]> => [file, await dotPlot(plot)])
  return new Map(await Promise.all(drawn))
}

interface PanelSource extends Pick<Panel, 'title' | 'key' | 'scale'> {
  readonly from: BenchmarkName
  readonly goalText?: string
  /** What of tokenward is shown when the adapters do not matter. Default: all rows. */
  readonly rows?: (row: Row) => boolean
}

function panel(
  { from: _from, rows: isShown = () => true, goalText, ...source }: PanelSource,
  benchmark?: BenchmarkResult,
): Panel[] {
  const column = benchmark?.columns.find(({ key }) => key === source.key)
  const rows = benchmark?.rows.filter((row) => isShown(row) && row.values[source.key]) ?? []
  if (!column || rows.length === 0) return []
  const goal = goalText !== undefined && column.goal !== undefined && { value: column.goal, text: goalText }
  return [{ ...source, rows, unit: column.unit, ...(goal && { goal }) }]
}

const SMALLER = 'Medians; the lines show where half of the rounds are. Less is better.'

const PLOTS: readonly (Omit<DotPlot, 'panels'> & { file: string; panels: readonly PanelSource[] })[] = [
  {
    file: 'cached.svg',
    title: 'A call that finds its token in the cache',
    subtitle: SMALLER,
    panels: [
      {
        from: 'cached',
        key: 'ratio',
        title: 'time ÷ a bare async function (logarithmic)',
        scale: 'log',
        goalText: 'goal: 1.2',
      },
    ],
  },
  {
    file: 'http.svg',
    title: 'What a token adds to an HTTP request',
    subtitle: SMALLER,
    panels: [
      {
        from: 'http',
        key: 'cpuUs50',
        title: 'more CPU per request than with a fixed header, in µs, 50 at a time',
        scale: 'symlog',
        goalText: 'goal: 3 µs',
      },
    ],
  },
  {
    file: 'token-requests.svg',
    title: 'How often the token endpoint is asked',
    subtitle: 'Medians. Less is better.',
    panels: [
      {
        from: 'cold',
        key: 'requests',
        title: 'many callers and no token: token requests (logarithmic)',
        scale: 'log',
        goalText: 'goal: 1',
      },
      {
        from: 'revoked',
        key: 'requests',
        title: 'a token that is revoked: token requests',
        scale: 'symlog',
        goalText: 'goal: 1',
      },
      { from: 'rejecting', key: 'requests', title: 'an API that rejects every token: token requests', scale: 'symlog' },
      {
        from: 'faults',
        key: 'requestsPerSecond',
        title: 'an outage: token requests per second',
        scale: 'symlog',
        goalText: 'goal: 2',
      },
    ],
  },
  {
    file: 'expiry.svg',
    title: 'Tokens that expire under load',
    subtitle: 'The token endpoint takes 300 ms. Less is better.',
    panels: [{ from: 'expiry', key: 'slowestMs', title: 'the slowest request, in ms', scale: 'linear' }],
  },
  {
    file: 'memory.svg',
    title: 'Many tokens in one process',
    subtitle: 'With 100,000 tokens. Less is better.',
    panels: [
      {
        from: 'memory',
        key: 'bytes100000',
        title: 'heap per token beside the token itself, in bytes (logarithmic)',
        scale: 'log',
        goalText: 'goal: 1 KiB',
      },
      { from: 'memory', key: 'ns100000', title: 'time per call, in ns (logarithmic)', scale: 'log' },
    ],
  },
]
