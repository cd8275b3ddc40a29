// Imports each package that is named in the arguments, and fails when an import leaves a trace: a changed global or built-in, a
// timer, a listener, or output. Bundlers rely on it when they drop imports that are not used (`sideEffects: false`).
import assert from 'node:assert/strict'

const BUILT_INS = [Object, Array, Promise, Map, Error, Function, Headers, Request, Response, URL, AbortSignal]

/** The properties of what all code of the process shares. */
function shared() {
  const objects = [globalThis, ...BUILT_INS, ...BUILT_INS.map(({ prototype }) => prototype)]
  return objects.map((object) => Object.entries(Object.getOwnPropertyDescriptors(object)).map(describe))
}

/** Accessors of globals are not called: some load their value only then. */
function describe([name, { value, get }]) {
  return { name, value: typeof value === 'object' ? undefined : value, get }
}

const listeners = () => process.eventNames().map((event) => [event, process.listenerCount(event)])
const written = []
for (const stream of [process.stdout, process.stderr]) stream.write = (text) => written.push(text) > 0
// A platform's own loading of modules and of fetch is no trace of ours.
await import('node:http')
void Headers
const before = { shared: shared(), listeners: listeners(), resources: process.getActiveResourcesInfo() }
for (const name of process.argv.slice(2)) await import(name)
const after = { shared: shared(), listeners: listeners(), resources: process.getActiveResourcesInfo() }
assert.deepEqual(after, before)
assert.deepEqual(written, [])
