import { libraryById } from '../libraries'
import { sessions } from './sessions'
import type { Workers } from './workers'

/** Runs the sessions in this process. */
export const localWorkers: Workers = {
  async start({ session, library, options }) {
    const { step, close } = await sessions[session](libraryById(library), options)
    return { step, stop: async () => close?.() }
  },
}
