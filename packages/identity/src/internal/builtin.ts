import type { Attempt } from './attempt'

/**
 * A module of the platform, as `load` gets it from the process. Node, Bun and Deno have them. They are not imported, so that
 * suppliers that need none work where there are none. Undefined: the platform does not have it.
 */
export function builtin<T>(load: (process: NodeJS.Process) => T): T | undefined {
  try {
    return typeof globalThis.process?.getBuiltinModule === 'function' ? load(globalThis.process) : undefined
  } catch {
    // A platform that has the function and not the module.
    return undefined
  }
}

/** A module that a supplier cannot do without. @throws IdentityError when there is none. */
export function requiredBuiltin<T>(attempt: Attempt, name: string, load: (process: NodeJS.Process) => T): T {
  const found = builtin(load)
  if (found) return found
  throw attempt.error('not_available', `this runtime has no ${name}`)
}
