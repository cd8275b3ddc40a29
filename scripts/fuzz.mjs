// Tries the property tests with new cases, again and again: `pnpm fuzz --minutes 60`. Ends at the first failure, and prints the seed
// that repeats it: `pnpm fuzz --seed 123`.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error(`--minutes must be a number above 0, not ${values.minutes}`)
if (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed)) throw new Error('--seed must be a whole number')

/** So many times the cases of `npm test` are tried in each round. */
const FACTOR = '10'
/** A round that takes longer than this hangs. */
const LONGEST_ROUND_MS = 1_800_000

const endsAt = Date.now() + minutes * 60_000
for (let round = 1; round === 1 || (values.seed === undefined && Date.now() < endsAt); round++) {
  const seed = values.seed ?? String(Math.floor(Math.random() * 1e9))
  console.log(`round ${round}, seed ${seed}`)
  const { status } = spawnSync('pnpm', ['exec', 'vitest', 'run', '.property.test.ts'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
    timeout: LONGEST_ROUND_MS,
    env: { ...process.env, FUZZ_SEED: seed, FUZZ_FACTOR: FACTOR },
  })
  if (status !== 0) {
    console.error(`FAILED. To repeat it: pnpm fuzz --seed ${seed}`)
    process.exit(1)
  }
}
