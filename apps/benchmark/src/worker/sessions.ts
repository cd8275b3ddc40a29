import { cachedSession } from './cached-session'
import { dpopSession } from './dpop-session'
import { httpSession } from './http-session'
import { loadSession } from './load-session'
import { memorySession } from './memory-session'
import type { SessionFactory } from './session'

/** Every kind of session, by name. */
export const sessions = {
  cached: cachedSession,
  http: httpSession,
  load: loadSession,
  dpop: dpopSession,
  memory: memorySession,
} satisfies Record<string, SessionFactory>

export type SessionName = keyof typeof sessions
