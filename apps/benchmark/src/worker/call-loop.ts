type CallLoop = (call: () => Promise<unknown>, calls: number) => Promise<void>

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (...source: string[]) => CallLoop

/**
 * A new function that makes calls one after another. Each kind of call gets one of its own: a function that has seen several
 * kinds is compiled to slower code, and the difference would be as large as what is measured.
 */
export function callLoop(): CallLoop {
  return new AsyncFunction('call', 'calls', 'for (let left = calls; left > 0; left--) await call()')
}
