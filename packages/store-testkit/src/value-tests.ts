import { type Conformance, MINUTE } from './conformance'
import { expectSame } from './expectations'

/** Every store returns a value unchanged, and only under its own key. */
export function valueTests({ check }: Conformance): void {
  check('a key that was never set has no value', async (store, newKey) => {
    expectSame('get of an unknown key', await store.get(newKey()), undefined)
  })

  check('a value can be read more than once', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', MINUTE)
    for (const time of ['first', 'second']) expectSame(`the ${time} get`, await store.get(key), 'value')
  })

  check('a second set replaces the value', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'a first and longer value', MINUTE)
    await store.set(key, 'second', MINUTE)
    expectSame('get', await store.get(key), 'second')
  })

  check('a deleted key has no value, and can be set again', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', MINUTE)
    await store.delete(key)
    expectSame('get after delete', await store.get(key), undefined)
    await store.set(key, 'another', MINUTE)
    expectSame('get after another set', await store.get(key), 'another')
  })

  check('deleting a key that does not exist is no error and deletes nothing else', async (store, newKey) => {
    const [key, other] = [newKey(), newKey()]
    await store.set(other, 'value', MINUTE)
    await store.delete(key)
    await store.delete(key)
    expectSame('get of the other key', await store.get(other), 'value')
  })

  check('a value comes back unchanged, whatever characters it holds', async (store, newKey) => {
    const values = {
      empty: '',
      spaces: '  \t ',
      'line ends': 'a\r\nb\nc\r',
      'control characters': Array.from({ length: 33 }, (_, code) => String.fromCharCode(code)).join(''),
      'every character of one byte': Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join(''),
      unicode: 'Zugriffstoken für Jürgen, 令牌, ключ, 🔑👩‍💻, e\u0301, \ufeff, \uffff',
      'a byte order mark first': '\ufeffvalue',
      json: JSON.stringify({ value: '"\\"', nested: { a: [1, null, true] } }),
      number: '007',
      'the word undefined': 'undefined',
    }
    for (const [what, value] of Object.entries(values)) {
      const key = newKey()
      await store.set(key, value, MINUTE)
      expectSame(`a value of ${what}`, await store.get(key), value)
    }
  })

  check('a value of 100,000 characters comes back unchanged', async (store, newKey) => {
    const key = newKey()
    const value = 'a token with many claims 🔑 '.repeat(4_000).slice(0, 100_000)
    await store.set(key, value, MINUTE)
    expectSame('a long value', await store.get(key), value)
  })

  check('200 keys hold 200 different values', async (store, newKey) => {
    const entries = Array.from({ length: 200 }, (_, index) => [newKey(), `value ${index}`] as const)
    await Promise.all(entries.map(([key, value]) => store.set(key, value, MINUTE)))
    const values = await Promise.all(entries.map(([key]) => store.get(key)))
    for (const [index, [, value]] of entries.entries()) expectSame(`value ${index} of 200`, values[index], value)
  })

  check('keys that differ in one character are different keys', async (store, newKey) => {
    const key = newKey()
    const other = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`
    await store.set(key, 'value', MINUTE)
    expectSame('get of the other key', await store.get(other), undefined)
  })

  check('of concurrent writes one wins, with its complete value', async (store, newKey) => {
    const key = newKey()
    const values = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(index * 50 + 1))
    const [read] = await Promise.all([readWhileWriting(), ...values.map((value) => store.set(key, value, MINUTE))])
    for (const value of [...read, await store.get(key)]) {
      if (value === undefined || !values.includes(value))
        expectSame('get during concurrent writes', value, 'one of the values')
    }

    async function readWhileWriting(): Promise<string[]> {
      const found = await Promise.all(Array.from({ length: 20 }, () => store.get(key)))
      return found.filter((value) => value !== undefined)
    }
  })
}
