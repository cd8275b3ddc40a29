import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultResponse } from '@tokenward/identity-provider'
import { type Benchmark, type BenchmarkContext, type Participant, participants, withWorkers } from './benchmark'
import { Samples } from './samples'

/** Faults that are over after some requests: how many, and what they get. */
const TRANSIENT: readonly (readonly [times: number, response: FaultResponse])[] = [
  [2, { status: 500 }],
  [1, { status: 429, headers: { 'retry-after': '1' } }],
  [1, 'reset'],
  [1, { status: 200, headers: { 'content-type': 'application/json' }, body: '{"access_token":' }],
  [1, { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Welcome</h1>' }],
]
const PER_SECOND = 50

export const faults: Benchmark = {
  name: 'faults',
  title: 'A token endpoint that fails',
  method: ({ faults: { callers, outageSeconds, renewalAfterSeconds } }) =>
    [
      `Transient faults: no token is there, ${callers} callers need one at once, and the endpoint responds with 500 twice, or with 429, a broken connection, broken JSON or HTML once.`,
      `An outage without a token: for ${outageSeconds} s the endpoint breaks every connection, while ${callers} callers make one call after another with a pause of 5 ms. All of these calls fail, so what counts is that the endpoint is left alone.`,
      `An outage with a token: the endpoint breaks every connection from the moment the token is there until after the time at which the library renews it (about ${renewalAfterSeconds} s), but not until the token expires; ${PER_SECOND} requests a second. Each of them could succeed.`,
      'Rejections that nobody handles would end a process of Node; they are counted over all three.',
    ].join(' '),
  columns: ({ faults: { callers } }) => [
    {
      key: 'failedTransient',
      title: `transient faults: failed calls of ${callers * TRANSIENT.length}`,
      unit: 'count',
      goal: 0,
      compared: true,
    },
    {
      key: 'requestsPerSecond',
      title: 'outage without a token: token requests per second',
      unit: 'perSecond',
      goal: 2,
      compared: true,
    },
    { key: 'slowestMs', title: 'outage without a token: the slowest call', unit: 'ms', compared: false },
    {
      key: 'failedWithToken',
      title: 'outage with a token: failed requests',
      unit: 'count',
      goal: 0,
      compared: true,
    },
    { key: 'unhandled', title: 'unhandled rejections', unit: 'count', goal: 0, compared: true },
  ],
  async run(context) {
    const samples = new Samples()
    await withWorkers(context, 'load', participants(context.libraries, 'faults'), 'catalog', async (all) => {
      const unhandled = new Map<string, number>()
      const note = (id: string, count = 0) => unhandled.set(id, (unhandled.get(id) ?? 0) + count)
      for (const participant of all) {
        const { id } = participant.library
        context.progress(`transient faults: ${id}`)
        samples.add(id, await transientFaults(context, participant, note))
        context.progress(`outage without a token: ${id}`)
        samples.add(id, await outageWithoutToken(context, participant, note))
      }
      context.progress('outage with a token')
      for (const [id, failedWithToken] of await outageWithToken(context, all, note))
        samples.add(id, { failedWithToken })
      for (const [id, count] of unhandled) samples.add(id, { unhandled: count })
    })
    return samples.rows()
  },
}

type Note = (id: string, unhandled: number | undefined) => void

async function transientFaults({ server, scale }: BenchmarkContext, { library, worker }: Participant, note: Note) {
  let failedTransient = 0
  for (const [times, response] of TRANSIENT) {
    await worker.step({ step: 'open' })
    await server.reset()
    await server.failTokens(times, response)
    const { failed = 0, unhandled } = await worker.step({ step: 'burst', what: 'token', calls: scale.faults.callers })
    failedTransient += failed
    note(library.id, unhandled)
  }
  await server.reset()
  return { failedTransient }
}

async function outageWithoutToken({ server, scale }: BenchmarkContext, { library, worker }: Participant, note: Note) {
  const { callers, outageSeconds } = scale.faults
  await worker.step({ step: 'open' })
  await server.reset()
  await server.failTokens('all', 'reset')
  const {
    ms = 1,
    slowestMs = 0,
    unhandled,
  } = await worker.step({ step: 'callers', what: 'token', callers, seconds: outageSeconds })
  const requests = await server.tokenRequests()
  await server.reset()
  note(library.id, unhandled)
  return { requestsPerSecond: (requests * 1_000) / ms, slowestMs }
}

/** All libraries at the same time, because the load is low. Returns the failed requests of each. */
async function outageWithToken({ server, scale }: BenchmarkContext, all: readonly Participant[], note: Note) {
  const { renewalAfterSeconds } = scale.faults
  for (const { library } of all) {
    // A library that renews only after expiry cannot fail before: its tokens live a little longer than the outage.
    const lifetime = Math.max(library.lifetimeFor(renewalAfterSeconds), Math.ceil(renewalAfterSeconds * 1.25))
    await server.setTokenLifetime(library.id, lifetime)
  }
  await Promise.all(
    all.map(async ({ worker }) => {
      await worker.step({ step: 'open' })
      await worker.step({ step: 'burst', what: 'request', calls: 1 })
    }),
  )
  await server.failTokens('all', 'reset')
  const seconds = renewalAfterSeconds * 1.1
  const failures = await Promise.all(
    all.map(async ({ library, worker }): Promise<[id: string, failed: number]> => {
      const parameters = { step: 'rate', what: 'request', perSecond: PER_SECOND, seconds }
      const { failed = 0, unhandled } = await worker.step(parameters)
      note(library.id, unhandled)
      return [library.id, failed]
    }),
  )
  await server.reset()
  // Some libraries wait before they try again in the background.
  await sleep(100)
  for (const { library } of all) await server.setTokenLifetime(library.id, 3_600)
  return failures
}
