import type { TokenStore } from '@tokenward/core'
import { type KeyvClient, keyvStore } from '@tokenward/store-keyv'
import type { Keyv } from 'keyv'
import type { Keyv as Keyv6 } from 'keyv-6'
import { expectTypeOf, test } from 'vitest'

test('a Keyv of version 5 or 6 fits; so does the store', () => {
  expectTypeOf<Keyv>().toExtend<KeyvClient>()
  expectTypeOf<Keyv<string>>().toExtend<KeyvClient>()
  expectTypeOf<Keyv6>().toExtend<KeyvClient>()
  expectTypeOf<Keyv6<string>>().toExtend<KeyvClient>()
  expectTypeOf(keyvStore).parameter(0).toEqualTypeOf<KeyvClient>()
  expectTypeOf(keyvStore).returns.toExtend<TokenStore>()
})
