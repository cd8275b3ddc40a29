import type { StoreFailed } from '../../events'

/** In what way a store fails. One that can be read may refuse writes, and one that works may hold rubbish. */
export type StoreFault = 'read' | 'write' | 'entry'

export function storeFault({ operation, reason }: StoreFailed): StoreFault {
  if (operation !== 'get') return 'write'
  return reason === 'invalid_entry' ? 'entry' : 'read'
}
