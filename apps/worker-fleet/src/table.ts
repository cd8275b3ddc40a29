import type { Member } from './fleet'
import type { Counts } from './protocol'

const COLUMNS: [title: string, value: (counts: Counts) => number][] = [
  ['calls', ({ calls }) => calls],
  ['tokens requested', ({ tokensRequested }) => tokensRequested],
  ['from store', ({ tokensFromStore }) => tokensFromStore],
  ['from memory', fromMemory],
  ['failed', failed],
]

/** A table with a row for each process, and one with the sums. */
export function table(members: readonly Member[]): string {
  const cells = (name: string, values: readonly (string | number)[]) =>
    [name.padEnd(11), ...values.map((value, column) => String(value).padStart(width(column)))].join('  ')
  const width = (column: number) => Math.max(7, COLUMNS[column]?.[0].length ?? 0)
  const row = ({ name, counts }: Pick<Member, 'name' | 'counts'>) =>
    cells(
      name,
      COLUMNS.map(([, value]) => value(counts)),
    )
  const sums = COLUMNS.map(([, value]) => members.reduce((sum, { counts }) => sum + value(counts), 0))
  return [
    cells(
      'process',
      COLUMNS.map(([title]) => title),
    ),
    ...members.map(row),
    cells('total', sums),
  ].join('\n')
}

/** The calls that used a token from memory. An estimate: renewals in the background count as if a call had waited for them. */
function fromMemory({ calls, tokensRequested, tokensFromStore }: Counts): number {
  return Math.max(0, calls - tokensRequested - tokensFromStore)
}

export function failed({ failures }: Pick<Counts, 'failures'>): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0)
}
