import type { KeyvClient } from '@tokenward/store-keyv'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'

/** A Keyv over a backend, by each major version that the package names. */
export const versions: readonly [string, (store?: unknown, namespace?: string) => KeyvClient][] = [
  ['Keyv 5', (store = new Map(), namespace = 'tokens') => new Keyv({ store, namespace })],
  ['Keyv 6', (store = new Map(), namespace = 'tokens') => new Keyv6({ store, namespace })],
]
