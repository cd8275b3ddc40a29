import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until `condition` returns true. A condition that rejects counts as false.
 *
 * @throws Error with `what` in its message, after two minutes
 */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(25)) {
    if (await condition().catch(() => false)) return
  }
  throw new Error(`not true within two minutes: ${what}`)
}
