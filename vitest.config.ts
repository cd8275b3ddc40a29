import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Files that start many processes take longest. One of them at the end would keep one worker busy while the others have nothing to do. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => /\/apps\/(chaos|worker|worker-fleet)\/test\//.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

// Tests run against the sources; test/packed.test.ts tests the packed builds.
export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^@tokenward\/(identity-provider|local-servers|simulation|worker-fleet)$/,
        replacement: source('apps/$1/src/index.ts'),
      },
      { find: '@tokenward/test-support', replacement: source('test/support/index.ts') },
      { find: /^@tokenward\/(.+)$/, replacement: source('packages/$1/src/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // By default, Vitest leaves a core free for itself. But files often wait for servers and processes that they have started.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    // No test measures the speed of the machine. These limits only end what hangs.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000, interval: 20 } },
    // Tests that run at the same time wait for servers most of it.
    maxConcurrency: 20,
    coverage: { provider: 'v8', include: ['packages/*/src/**'] },
  },
})
