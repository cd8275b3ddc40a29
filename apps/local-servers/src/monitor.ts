import { randomUUID } from 'node:crypto'
import type { TestRedis } from './redis'

/** A command that Redis saw. */
export interface SeenCommand {
  /** In lower case. */
  readonly name: string
  /** Its words, and where it came from: an address, or `lua` for those of a script. */
  readonly line: string
}

/** Every command that Redis runs while `body` does, those inside scripts included. */
export async function commandsDuring(redis: TestRedis, body: () => Promise<void>): Promise<SeenCommand[]> {
  const commands: SeenCommand[] = []
  const monitor = await redis.connect().monitor()
  const end = randomUUID()
  const ended = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (args.includes(end)) resolve()
      commands.push({ name: String(args[0]).toLowerCase(), line: `${args.join(' ')} [${source}]` })
    })
  })
  try {
    await body()
    // What a monitor shows comes after the answers, so body's end is not yet the end.
    await redis.connect().echo(end)
    await ended
    return commands
  } finally {
    monitor.disconnect()
  }
}
