import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// Tests run against the sources; test/packed.test.ts tests the packed builds.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@tokenward\/(identity-provider|local-servers)$/, replacement: source('apps/$1/src/index.ts') },
      { find: '@tokenward/test-support', replacement: source('test/support/index.ts') },
      { find: /^@tokenward\/(.+)$/, replacement: source('packages/$1/src/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    // Tests that run at the same time wait for servers most of it.
    maxConcurrency: 20,
    coverage: { provider: 'v8', include: ['packages/*/src/**'] },
  },
})
