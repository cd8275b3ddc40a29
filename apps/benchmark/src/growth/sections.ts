import { commandsPerSecond, type Fleet, tokenRequestsPerSecond } from './formula'
import type { GrowthResults } from './results'

const PROCESSES = [10, 100, 1_000, 10_000]
const KEYS = [1, 10, 100, 1_000, 10_000, 100_000]

/** The generated parts of the page, by name. */
export function growthSections(results: GrowthResults): ReadonlyMap<string, string> {
  return new Map([
    ['environment', `Made on ${results.date} with Node ${results.node} and Redis ${results.redis.version}.`],
    ['steady', steadyTable(results)],
    ['hour', hourTable()],
    ['start', startTable(results)],
    ['redis', redisTable(results)],
  ])
}

function steadyTable({ steady }: GrowthResults): string {
  return table(
    ['processes', 'keys', 'token requests a second', 'by the formula', 'commands a second', 'at most, by the formula'],
    steady.map((fleet) => [
      number(fleet.processes),
      number(fleet.keys),
      rate(fleet.tokenRequestsPerSecond),
      rate(tokenRequestsPerSecond(fleet)),
      rate(fleet.commandsPerSecond),
      rate(commandsPerSecond(fleet)),
    ]),
  )
}

/** What the formulas say of the usual lifetime, for all sizes. */
function hourTable(): string {
  const fleet = (processes: number, keys: number): Fleet => ({
    processes,
    keys,
    lifetimeSeconds: 3_600,
    localLifetimeSeconds: 60,
  })
  return table(
    ['keys', 'token requests a second', ...PROCESSES.map((processes) => `commands, ${number(processes)} processes`)],
    KEYS.map((keys) => [
      number(keys),
      rate(tokenRequestsPerSecond(fleet(1, keys))),
      ...PROCESSES.map((processes) => rate(commandsPerSecond(fleet(processes, keys)))),
    ]),
  )
}

function startTable({ start }: GrowthResults): string {
  return table(
    ['processes', 'keys', 'token requests', 'commands in the worst second', 'for each process and key'],
    start.map(({ processes, keys, tokenRequests, worstSecond }) => [
      number(processes),
      number(keys),
      number(tokenRequests),
      number(worstSecond),
      rate(worstSecond / (processes * keys)),
    ]),
  )
}

function redisTable({ redis: { cpuUs, bytesPerToken } }: GrowthResults): string {
  const row = (name: string, us: number) => [name, `${rate(us)} µs`, number(Math.round(1e6 / us / 1_000) * 1_000)]
  const rows = [row('a process asks, and finds a token', cpuUs.look), row('a renewal: lease and write', cpuUs.renew)]
  const text = table(['operation', 'CPU of Redis', 'a second, with one core'], rows)
  return `${text}\n\nA token of 1,000 characters takes ${number(Math.round(bytesPerToken))} bytes of Redis's memory, with its key and its place in the index of its client.`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const number = (value: number) => value.toLocaleString('en')

/** In as many digits as mean something. */
const rate = (value: number) =>
  value >= 100
    ? number(Math.round(value))
    : Number(value.toPrecision(2)).toLocaleString('en', { maximumFractionDigits: 5 })
