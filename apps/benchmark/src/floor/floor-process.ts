// Measures one wrapper of an HTTP client, and reports to the process that started this one.

import { startForkedBenchServer } from '../server/forked-bench-server'
import { measuredLibraries, measureWrapper, type WrapperName } from './measure-wrapper'

const [httpClient = '', wrapper] = process.argv.slice(2)
const server = await startForkedBenchServer(measuredLibraries.map(({ id }) => id))
process.send?.(await measureWrapper(server, httpClient, wrapper as WrapperName))
await server.close()
process.disconnect()
