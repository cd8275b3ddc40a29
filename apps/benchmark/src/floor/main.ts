// Compares what a token costs in a request with what the least wrapper of the same HTTP client costs. Prints a Markdown table.
// Other load makes some blocks slower and none faster, so the fast blocks are what is compared.

import { onlyAHeaderLibraries } from '../libraries/only-a-header'
import { requestToken } from '../libraries/request-token'
import { tokenwardLibraries } from '../libraries/tokenward'
import { startForkedBenchServer } from '../server/forked-bench-server'
import { callConcurrently, collectYoung, measure, settle } from '../worker/measure'
import { safeWrappers } from './safe-wrappers'

const BLOCKS = 120
/** Not measured: the code is not yet compiled in its final form. */
const WARM_UP_BLOCKS = 100
const REQUESTS = 200
const CONCURRENCY = 50

type Kind = 'fixed' | 'least' | 'safe' | 'tokenward'

const libraries = [...tokenwardLibraries, ...onlyAHeaderLibraries]
const server = await startForkedBenchServer(libraries.map(({ id }) => id))
const { issuer, lightURL: baseURL } = server.address

/** The CPU of a request of each kind, in microseconds: the lowest tenth of the blocks. */
async function cpuOf(httpClient: string): Promise<Record<Kind, number>> {
  const open = async (among: typeof libraries) => {
    const library = among.find((each) => each.httpClient === httpClient)
    if (!library) throw new Error(`nothing is measured for ${httpClient}`)
    const options = { ...server.credentials(library.id), issuer, baseURL }
    return { library: await library.open(options), options }
  }
  const [own, least] = [await open([...tokenwardLibraries]), await open([...onlyAHeaderLibraries])]
  const { access_token } = await requestToken(least.options)
  const safe = safeWrappers[httpClient]
  if (!safe) throw new Error(`there is no safe wrapper for ${httpClient}`)
  const calls: Record<Kind, () => Promise<number>> = {
    fixed: own.library.requestWithHeader(`Bearer ${access_token}`),
    least: () => least.library.request(),
    safe: safe(baseURL, `Bearer ${access_token}`),
    tokenward: () => own.library.request(),
  }
  const kinds = Object.keys(calls) as Kind[]
  const blocks: Record<Kind, number[]> = { fixed: [], least: [], safe: [], tokenward: [] }
  for (let block = -WARM_UP_BLOCKS; block < BLOCKS; block++) {
    if (block % 20 === 0) await settle()
    for (const kind of block % 2 === 0 ? kinds : kinds.toReversed()) {
      await collectYoung()
      const { cpuNs } = await measure(REQUESTS, () => callConcurrently(calls[kind], REQUESTS, CONCURRENCY))
      if (block >= 0) blocks[kind].push(cpuNs / 1_000)
    }
  }
  await own.library.close?.()
  const lowestTenth = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0
  return {
    fixed: lowestTenth(blocks.fixed),
    least: lowestTenth(blocks.least),
    safe: lowestTenth(blocks.safe),
    tokenward: lowestTenth(blocks.tokenward),
  }
}

console.log(
  '| HTTP client | a fixed header | only a header ÷ fixed | safe ÷ fixed | tokenward ÷ fixed | tokenward ÷ safe |',
)
console.log('| --- | --- | --- | --- | --- | --- |')
for (const { httpClient } of tokenwardLibraries) {
  const { fixed, least, safe, tokenward } = await cpuOf(httpClient)
  const ratios = [least / fixed, safe / fixed, tokenward / fixed, tokenward / safe].map((ratio) => ratio.toFixed(2))
  console.log(`| ${httpClient} | ${fixed.toFixed(0)} µs | ${ratios.join(' | ')} |`)
}
await server.close()
process.exit()
