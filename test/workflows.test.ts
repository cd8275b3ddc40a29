import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { root } from './documents'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Record<string, unknown>
  readonly env?: Record<string, string>
}
interface Job {
  readonly permissions?: Record<string, string>
  readonly strategy?: { readonly matrix: Record<string, string[]> }
  readonly steps: Step[]
}
interface Workflow {
  readonly permissions: Record<string, string>
  readonly jobs: Record<string, Job>
}

const folder = join(root, '.github/workflows')
const workflows = new Map<string, Workflow>(
  readdirSync(folder).map((file) => [file, parse(readFileSync(join(folder, file), 'utf8'))]),
)
const jobs = [...workflows].flatMap(([file, { jobs }]) =>
  Object.entries(jobs).map(([name, job]) => ({ name: `${file}: ${name}`, job })),
)
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const CHANGESETS = 'changesets/action/'

test('every action is pinned to a commit, and no checkout leaves its token on the disk', () => {
  for (const { name, job } of jobs) {
    for (const { uses, ...step } of job.steps) {
      if (!uses) continue
      expect(uses, name).toMatch(/@[0-9a-f]{40}$/)
      if (uses.startsWith('actions/checkout@')) expect(step.with, name).toMatchObject({ 'persist-credentials': false })
    }
  }
})

test('the workflows run scripts of this repository, which run the same everywhere', () => {
  const scripts = Object.keys(manifest.scripts)
  const commands = jobs.flatMap(({ job }) =>
    job.steps.flatMap(({ run, with: options }) => run ?? options?.script ?? []),
  )
  const known = new Set([
    ...scripts.flatMap((script) => [`pnpm ${script}`, `pnpm run ${script}`, `node scripts/run.mjs ${script}`]),
    'npm test',
    'node scripts/install-pnpm.mjs',
    'pnpm install --frozen-lockfile',
  ])
  expect(commands.length).toBeGreaterThan(5)
  expect(commands.filter((command) => !known.has(String(command)))).toEqual([])
})

test('the tests run on each Node line that the packages support, on each system', () => {
  expect(workflows.get('test.yml')?.jobs.test?.strategy?.matrix).toEqual({
    os: ['ubuntu-latest', 'macos-latest', 'windows-latest'],
    node: ['20', '22', '24', '26'],
  })
})

test('only the jobs that write may write, and the job that publishes builds nothing', () => {
  for (const [file, { permissions }] of workflows) expect([{}, { contents: 'read' }], file).toContainEqual(permissions)
  const writers = jobs.flatMap(({ name, job }) => {
    const writes = Object.entries(job.permissions ?? {}).filter(([, access]) => access === 'write')
    return writes.length === 0 ? [] : [[name, writes.map(([permission]) => permission)]]
  })
  expect(Object.fromEntries(writers)).toEqual({
    'docs.yml: deploy': ['pages', 'id-token'],
    'release.yml: version': ['contents', 'pull-requests'],
    'release.yml: publish': ['contents', 'id-token'],
  })
  const { steps = [] } = workflows.get('release.yml')?.jobs.publish ?? {}
  const runs = steps.flatMap(({ run }) => run ?? [])
  expect(runs).toEqual(['node scripts/install-pnpm.mjs', 'pnpm install --frozen-lockfile'])
})

test('packages are published with provenance, in the way that this pnpm and this Changesets understand', () => {
  const steps = jobs.flatMap(({ job }) => job.steps).filter(({ uses }) => uses?.startsWith(CHANGESETS))
  const publish = steps.filter(({ uses }) => uses?.startsWith(`${CHANGESETS}publish@`))
  expect(publish.map(({ env }) => env)).toEqual([{ PNPM_CONFIG_PROVENANCE: 'true' }])
  // Version 2 of the action is for version 3 of the CLI. Before version 2, the action has no parts such as `publish`.
  expect(manifest.devDependencies['@changesets/cli']).toMatch(/^3\./)
})
