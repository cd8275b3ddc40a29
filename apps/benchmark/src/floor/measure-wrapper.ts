import type { Library } from '../libraries/library'
import { onlyAHeaderLibraries } from '../libraries/only-a-header'
import { requestToken } from '../libraries/request-token'
import { tokenwardLibraries } from '../libraries/tokenward'
import type { BenchServer } from '../server/bench-server'
import { callConcurrently, collectYoung, measure, settle } from '../worker/measure'
import { safeWrappers } from './safe-wrappers'

const BLOCKS = 120
/** Not measured: the code is not yet compiled in its final form. */
const WARM_UP_BLOCKS = 100
const REQUESTS = 200
const CONCURRENCY = 50

export type WrapperName = 'only a header' | 'safe' | 'tokenward'

/** The CPU of a request, in microseconds. */
export interface WrapperCost {
  readonly fixed: number
  readonly wrapped: number
}

export const measuredLibraries: readonly Library[] = [...tokenwardLibraries, ...onlyAHeaderLibraries]

/** The lowest tenth of the blocks. Other load makes some blocks slower and none faster. */
export async function measureWrapper(
  server: BenchServer,
  httpClient: string,
  wrapper: WrapperName,
): Promise<WrapperCost> {
  const { issuer, lightURL: baseURL } = server.address
  const among = wrapper === 'tokenward' ? tokenwardLibraries : onlyAHeaderLibraries
  const library = among.find((each) => each.httpClient === httpClient)
  const safe = safeWrappers[httpClient]
  if (!library || !safe) throw new Error(`nothing is measured for ${httpClient}`)
  const options = { ...server.credentials(library.id), issuer, baseURL }
  const authorization = `Bearer ${(await requestToken(options)).access_token}`
  const open = await library.open(options)
  const calls = {
    fixed: open.requestWithHeader(authorization),
    wrapped: wrapper === 'safe' ? safe(baseURL, authorization) : () => open.request(),
  }
  const kinds = ['fixed', 'wrapped'] as const
  const blocks: Record<keyof WrapperCost, number[]> = { fixed: [], wrapped: [] }
  for (let block = -WARM_UP_BLOCKS; block < BLOCKS; block++) {
    if (block % 20 === 0) await settle()
    for (const kind of block % 2 === 0 ? kinds : kinds.toReversed()) {
      await collectYoung()
      const { cpuNs } = await measure(REQUESTS, () => callConcurrently(calls[kind], REQUESTS, CONCURRENCY))
      if (block >= 0) blocks[kind].push(cpuNs / 1_000)
    }
  }
  await open.close?.()
  const lowestTenth = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0
  return { fixed: lowestTenth(blocks.fixed), wrapped: lowestTenth(blocks.wrapped) }
}
