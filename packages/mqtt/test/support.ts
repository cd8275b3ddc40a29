import { rabbitProgram } from '@tokenward/local-servers'

export const hasRabbit = Boolean(await rabbitProgram())

/** Rejects with nothing, and resolves to what `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const [result] = await Promise.allSettled([promise])
  if (result?.status !== 'rejected') throw new Error('it did not reject')
  return result.reason
}
